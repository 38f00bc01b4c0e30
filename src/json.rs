//! JSON whose memory may be short.

use std::io;

use serde::Serialize;

use crate::error::{Error, Result, Status};

/// `value` as JSON with line breaks. `what`, a noun in the singular, is named in the message.
pub(crate) fn pretty(value: &impl Serialize, what: &str) -> Result<String> {
    let mut text = Text(Vec::new());
    match serde_json::to_writer_pretty(&mut text, value) {
        Ok(()) => Ok(String::from_utf8(text.0).expect("JSON is UTF-8")),
        // Keys are strings, so nothing but memory can be lacking.
        Err(_) => Err(Error::new(
            Status::Memory,
            format!("{what} needs more than {} bytes of memory, which could not be had", text.0.len()),
        )),
    }
}

struct Text(Vec<u8>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_reserve(bytes.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
