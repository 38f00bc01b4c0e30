//! What is in which file: a folder a class, our own CSV, or the metadata of UrbanSound8K and ESC-50 as they are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// CSVs that are looked for in the data folder if none is named.
const FOUND: [&str; 3] = ["labels.csv", "metadata/UrbanSound8K.csv", "meta/esc50.csv"];

/// One label.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Relative to the data folder.
    pub file: PathBuf,
    /// One or more, none twice.
    pub classes: Vec<String>,
    pub fold: Option<u32>,
    /// Seconds from the start of the file.
    pub start: Option<f64>,
    pub end: Option<f64>,
    /// What the recording was taken from; takes of one source must not be on both sides of a split.
    pub group: Option<String>,
}

/// A row of our own form.
#[derive(Deserialize)]
struct Plain {
    file: PathBuf,
    class: String,
    fold: Option<u32>,
    start: Option<f64>,
    end: Option<f64>,
    group: Option<String>,
}

/// UrbanSound8K (Salamon et al., 2014). Its `start` and `end` are places in the recording that the file was cut from.
#[derive(Deserialize)]
struct UrbanSound {
    slice_file_name: String,
    #[serde(rename = "fsID")]
    source: String,
    fold: u32,
    class: String,
}

/// ESC-50 (Piczak, 2015).
#[derive(Deserialize)]
struct Esc {
    filename: String,
    fold: u32,
    category: String,
    src_file: String,
}

impl From<Plain> for Row {
    fn from(row: Plain) -> Self {
        let mut classes: Vec<String> = Vec::new();
        for class in row.class.split('|').map(str::trim) {
            if !classes.iter().any(|known| known == class) {
                classes.push(class.into());
            }
        }
        let group = row.group.filter(|group| !group.is_empty());
        Self { file: row.file, classes, fold: row.fold, start: row.start, end: row.end, group }
    }
}

impl Row {
    fn whole(file: PathBuf, class: String, fold: u32, group: String) -> Self {
        Self { file, classes: vec![class], fold: Some(fold), start: None, end: None, group: Some(group) }
    }
}

impl From<UrbanSound> for Row {
    fn from(row: UrbanSound) -> Self {
        let file = format!("audio/fold{}/{}", row.fold, row.slice_file_name);
        Self::whole(file.into(), row.class, row.fold, row.source)
    }
}

impl From<Esc> for Row {
    fn from(row: Esc) -> Self {
        Self::whole(format!("audio/{}", row.filename).into(), row.category, row.fold, row.src_file)
    }
}

/// The rows, where they come from (for messages), and what is doubtful.
pub fn read(data: &Path, labels: Option<&Path>) -> Result<(Vec<Row>, String, Vec<String>)> {
    let found = || FOUND.iter().map(|name| data.join(name)).find(|path| path.is_file());
    match labels.map(|labels| data.join(labels)).or_else(found) {
        Some(path) => {
            let place = path.display().to_string();
            let rows = csv(&path).with_context(|| place.clone())?;
            ensure!(!rows.is_empty(), "{place}: no rows below its header");
            Ok((rows, place, Vec::new()))
        }
        None => {
            let (rows, warnings) = folders(data)?;
            Ok((rows, data.display().to_string(), warnings))
        }
    }
}

fn csv(path: &Path) -> Result<Vec<Row>> {
    let bytes = fs::read(path)?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes); // spreadsheets write it
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let columns = reader.headers()?.clone();
    let has = |names: &[&str]| names.iter().all(|name| columns.iter().any(|column| column == *name));
    if has(&["slice_file_name", "fsID", "fold", "class"]) {
        rows::<UrbanSound>(&mut reader)
    } else if has(&["filename", "fold", "category", "src_file"]) {
        rows::<Esc>(&mut reader)
    } else {
        ensure!(
            columns.is_empty() || has(&["file", "class"]),
            "needs the columns `file` and `class`, separated by commas; its first line has: {}",
            columns.iter().collect::<Vec<_>>().join(", ")
        );
        rows::<Plain>(&mut reader)
    }
}

fn rows<T: DeserializeOwned + Into<Row>>(reader: &mut csv::Reader<&[u8]>) -> Result<Vec<Row>> {
    let columns = reader.headers()?.clone();
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let row: Row =
            record.deserialize::<T>(Some(&columns)).map_err(|e| misread(e, &columns, &record))?.into();
        ensure!(!row.file.as_os_str().is_empty(), "line {line}: the name of the file is empty");
        ensure!(row.classes.iter().all(|c| !c.is_empty()), "line {line}: the class is empty");
        let times = [row.start, row.end];
        ensure!(times.into_iter().flatten().all(f64::is_finite), "line {line}: start or end is not a number");
        if let Some(first) = rows.first() {
            ensure!(
                first.fold.is_some() == row.fold.is_some(),
                "line {line}: rows with and without a fold are mixed; give every row one, or none"
            );
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Names the column and the value that could not be understood.
fn misread(error: csv::Error, columns: &csv::StringRecord, record: &csv::StringRecord) -> anyhow::Error {
    let line = record.position().map_or(0, csv::Position::line);
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else { return error.into() };
    match err.field().map(|field| field as usize) {
        Some(field) => anyhow::anyhow!(
            "line {line}: column `{}` is {:?}: {}",
            columns.get(field).unwrap_or_default(),
            record.get(field).unwrap_or_default(),
            err.kind()
        ),
        None => anyhow::anyhow!("line {line}: {}", err.kind()),
    }
}

fn folders(data: &Path) -> Result<(Vec<Row>, Vec<String>)> {
    let (mut rows, mut warnings) = (Vec::new(), Vec::new());
    for folder in entries(data)?.into_iter().filter(|path| path.is_dir()) {
        let class = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut files = Vec::new();
        below(&folder, &mut files)?;
        if files.is_empty() {
            warnings.push(format!("{}: holds no files", folder.display()));
        }
        rows.extend(files.into_iter().map(|file| Row {
            file: file.strip_prefix(data).map(Path::to_path_buf).unwrap_or(file),
            classes: vec![class.clone()],
            fold: None,
            start: None,
            end: None,
            group: None,
        }));
    }
    ensure!(
        !rows.is_empty(),
        "{}: no labels ({}), and no folders of recordings, one a class",
        data.display(),
        FOUND.join(", ")
    );
    Ok((rows, warnings))
}

/// All files in a folder and in the folders in it.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in entries(folder)? {
        if path.is_dir() { below(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// What is in a folder, sorted, without hidden files.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = read().with_context(|| folder.display().to_string())?;
    paths.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    paths.sort();
    Ok(paths)
}
