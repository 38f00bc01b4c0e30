//! Loading the model that a command names, or the bundled one.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use auricle::{Error, Model, ModelOptions, Provider, Status};

use crate::out::{Stop, shown};

/// The bundled model, an ONNX file with its manifest embedded.
const BUNDLED: &[u8] = include_bytes!("../../models/esc10.onnx");

/// The longest manifest, bytes.
const MAX_JSON: u64 = 1 << 24;

/// What runs a model.
#[derive(Clone, Copy)]
pub struct Engine<'a> {
    /// ONNX Runtime's library; `None`: where the library looks for it.
    pub runtime: Option<&'a Path>,
    /// None: the CPU.
    pub providers: &'a [Provider],
}

/// `NAME`, `NAME?` for one that is preferred, either with `={…}`, its options in JSON.
pub fn provider(text: &str) -> Result<Provider, String> {
    let (name, options) = match text.find("={") {
        Some(place) => (&text[..place], &text[place + 1..]),
        None => (text, ""),
    };
    let provider = match name.strip_suffix('?') {
        Some(name) => Provider::preferred(name),
        None => Provider::required(name),
    };
    Ok(provider.with_options(options))
}

/// Opens ONNX Runtime, loads the model.
pub fn load(path: Option<&Path>, engine: Engine<'_>) -> Result<Model, Stop> {
    open_runtime(engine.runtime)?;
    let mut options = ModelOptions::default();
    options.providers = engine.providers.to_vec();
    match path {
        Some(path) => Model::load(path, &options).map_err(|e| named(path, &e)),
        None => {
            Model::load_memory(BUNDLED, None, &options).map_err(|e| Stop::because("the bundled model", e))
        }
    }
}

/// A text of JSON, from a file or a pipe. No more of it is read than the library takes, whatever it is.
pub fn read_json(path: &Path) -> Result<String, Stop> {
    let mut json = String::new();
    let file = File::open(path).map_err(|e| Stop::because(shown(path), e))?;
    match file.take(MAX_JSON + 1).read_to_string(&mut json) {
        Ok(length) if length as u64 <= MAX_JSON => Ok(json),
        Ok(_) => Err(Stop::because(shown(path), format_args!("has more than {MAX_JSON} bytes"))),
        Err(e) => Err(Stop::because(shown(path), e)),
    }
}

/// The library's message may name the file too; it is named once.
fn named(path: &Path, e: &Error) -> Stop {
    let prefix = format!("{}: ", shown(path));
    Stop::because(shown(path), e.message().strip_prefix(&prefix).unwrap_or(e.message()))
}

/// Opens ONNX Runtime: at `path`, or where the library looks for it.
pub fn open_runtime(path: Option<&Path>) -> Result<(), Stop> {
    auricle::open_runtime(path).map_err(|e| match e.status() {
        Status::Runtime => Stop::new(e).and(
            "get it with `cargo xtask setup` in Auricle's repository, or with `pip install onnxruntime==1.28.0` (the \
             file is in onnxruntime/capi), and name the file with --runtime or ORT_DYLIB_PATH",
        ),
        _ => Stop::new(e),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle::Need;

    #[test]
    fn a_provider_has_a_need_and_options_behind_its_name() {
        let read = |text| {
            let provider = provider(text).expect("any text is one");
            (provider.name, provider.need, provider.options)
        };
        assert_eq!(read("cuda"), ("cuda".into(), Need::Required, String::new()));
        assert_eq!(read("cuda?"), ("cuda".into(), Need::Preferred, String::new()));
        let json = r#"{"more":{"a=":"b?"}}"#;
        assert_eq!(read(&format!("./lib=x.so?={json}")), ("./lib=x.so".into(), Need::Preferred, json.into()));
    }
}
