//! NumPy's `.npy` file, version 1.0, for one two-dimensional array of float32.
//! Source of the layout: NumPy 2 documentation, `numpy.lib.format`.

use std::io::{self, Write};

/// Writes `values[row * columns + column]` as an array of shape `(rows, columns)`.
pub fn write(mut to: impl Write, values: &[f32], columns: usize) -> io::Result<()> {
    let rows = values.len().checked_div(columns).unwrap_or(0);
    let dict = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // Magic, version and length take 10 bytes; the data begin at a multiple of 64.
    let header = (10 + dict.len() + 1).next_multiple_of(64) - 10;
    to.write_all(b"\x93NUMPY\x01\x00")?;
    to.write_all(&(header as u16).to_le_bytes())?; // at most 118 + 64: the dictionary is short
    writeln!(to, "{dict:<width$}", width = header - 1)?;
    for value in values {
        to.write_all(&value.to_le_bytes())?;
    }
    to.flush()
}
