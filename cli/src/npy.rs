//! NumPy's `.npy` file, version 1.0, for one two-dimensional array of float32 whose number of rows is known when the
//! last is written. Source of the layout: NumPy 2 documentation, `numpy.lib.format`.
//!
//! It grows under another name in the same folder and takes its own when it is whole, so there is never half a file
//! under that name, whatever goes wrong.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
/// Of the whole header; the data begin at a multiple of 64. The longest dictionary that there can be, of two numbers of
/// 20 digits, takes 104 bytes with what is before it.
const HEADER: usize = 128;

/// An array that is being written.
pub struct Npy {
    part: Part,
    path: PathBuf,
    columns: usize,
    values: u64,
}

impl Npy {
    /// What is at `path` already is replaced if it is an array or empty, and refused if it is anything else, such as the
    /// recording that the features are of, or the model.
    pub fn create(path: &Path, columns: usize) -> io::Result<Self> {
        // A link stays one: what it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        check(&path)?;
        let mut part = Part::beside(&path)?;
        part.to.write_all(&[0; HEADER])?;
        Ok(Self { part, path, columns, values: 0 })
    }

    /// Appends whole rows.
    pub fn write(&mut self, values: &[f32]) -> io::Result<()> {
        self.values += values.len() as u64;
        values.iter().try_for_each(|value| self.part.to.write_all(&value.to_le_bytes()))
    }

    /// Fills in the header, gives the file its name, and returns the number of rows.
    pub fn finish(mut self) -> io::Result<u64> {
        let rows = self.values / self.columns.max(1) as u64;
        let shape = format!("({rows}, {})", self.columns);
        let dict = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let length = HEADER - MAGIC.len() - 2;
        self.part.to.seek(SeekFrom::Start(0))?;
        self.part.to.write_all(MAGIC)?;
        self.part.to.write_all(&(length as u16).to_le_bytes())?;
        writeln!(self.part.to, "{dict:<width$}", width = length - 1)?;
        self.part.to.flush()?;
        self.part.to.get_ref().sync_all()?; // some file systems say only now that they are full
        fs::rename(&self.part.path, &self.path)?;
        self.part.renamed = true;
        Ok(rows)
    }
}

fn check(path: &Path) -> io::Result<()> {
    let refuse = |what: &str| Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return refuse("exists and is no file, so no array can take its place"),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    }
    let mut begin = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut begin)?;
    match begin.is_empty() || begin.starts_with(&MAGIC[..6]) {
        true => Ok(()),
        false => refuse(
            "exists and is no NumPy array, so it is left as it is; take another name or delete it first",
        ),
    }
}

/// A file under a name of its own, which is gone when this is dropped.
pub struct Part {
    pub to: BufWriter<File>,
    path: PathBuf,
    renamed: bool,
}

impl Part {
    /// In the folder of `path`.
    pub fn beside(path: &Path) -> io::Result<Self> {
        for number in 0..1000 {
            let path = path.with_file_name(format!(".auricle-{}-{number}.part", std::process::id()));
            match File::options().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { to: BufWriter::new(file), path, renamed: false }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path); // nobody is left to report it to
        }
    }
}
