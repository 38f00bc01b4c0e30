//! `auricle init`: a manifest for somebody else's network. What its files say is written down; what they do not say stands
//! there as unknown, which the library refuses, and is never guessed.

mod bare;
mod transformers;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use auricle::Manifest;
use auricle::manifest::unknown::UNKNOWN;
use auricle::stages::inference::contents::Contents;
use serde_json::Value;

use crate::model::read_json;
use crate::out::{Stdout, Stop, complain, shown, visible};

/// Begin a manifest for an ONNX file
///
/// Of a folder of Hugging Face's Transformers (config.json, preprocessor_config.json, an ONNX file) the manifest is
/// complete where the files say all. Of a bare ONNX file it has the tensors; what the file does not say stands there as
/// "unknown: what to write", and no model loads with it.
#[derive(clap::Args)]
pub struct Args {
    /// The ONNX file, or the folder with it
    model: PathBuf,
    /// File to write, such as MODEL.auricle.json beside MODEL.onnx; standard output without it
    #[arg(short, long)]
    out: Option<PathBuf>,
}

/// A manifest, and what its writer must know of it.
struct Draft {
    manifest: Value,
    notes: Vec<String>,
}

pub fn run(args: &Args, out: &mut Stdout) -> Result<(), Stop> {
    let onnx = match args.model.is_dir() {
        true => only_file(&args.model)?,
        false => args.model.clone(),
    };
    let contents = Contents::read(&onnx).map_err(Stop::new)?;
    let name = onnx.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut draft = match config_folder(&onnx) {
        Some(folder) => {
            let (config, extractor) = configs(&folder)?;
            transformers::draft(&contents, &name, &config, &extractor)
                .map_err(|reason| Stop::because(shown(&folder), reason))?
        }
        None if args.model.is_dir() => {
            let message = "has no config.json with preprocessor_config.json or processor_config.json; give the ONNX file itself";
            return Err(Stop::because(shown(&args.model), message));
        }
        None => bare::draft(&contents, &name),
    };
    if let Some(reason) = &contents.refused {
        draft.notes.push(format!("the ONNX file {reason}"));
    }
    let json = serde_json::to_string_pretty(&draft.manifest).map_err(|e| Stop::because("the manifest", e))?;
    // What is still unknown is what the library says of it; anything else that it says is wrong with the files.
    if let Err(error) = Manifest::parse(&json) {
        match json.contains(UNKNOWN) {
            true => draft.notes.push(error.message().to_owned()),
            false => return Err(Stop::because(shown(&args.model), error.message())),
        }
    }
    match &args.out {
        None => out.line(visible(json))?,
        Some(path) => write_new(path, &json)?,
    }
    draft.notes.iter().for_each(complain);
    Ok(())
}

/// The ONNX file of a folder, or of its folder `onnx` (as Optimum and Transformers.js have it).
fn only_file(folder: &Path) -> Result<PathBuf, Stop> {
    let mut found = Vec::new();
    for place in [folder.to_path_buf(), folder.join("onnx")] {
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(_) if place != folder => continue,
            Err(e) => return Err(Stop::because(shown(folder), e)),
        };
        for entry in entries {
            let path = entry.map_err(|e| Stop::because(shown(folder), e))?.path();
            if path.extension().is_some_and(|extension| extension == "onnx") {
                found.push(path);
            }
        }
    }
    found.sort();
    match found.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(Stop::because(
            shown(folder),
            "has no ONNX file; export the network (optimum-cli export onnx, torch.onnx.export)",
        )),
        [first, ..] => {
            let message = format!("has {} ONNX files; name one, such as {}", found.len(), shown(first));
            Err(Stop::because(shown(folder), message))
        }
    }
}

/// Where the configuration of an ONNX file lies: beside it, or above its folder `onnx`.
fn config_folder(onnx: &Path) -> Option<PathBuf> {
    let beside = onnx.parent().map(|folder| if folder == "" { Path::new(".") } else { folder })?;
    let above = beside.file_name().filter(|name| *name == "onnx").and_then(|_| beside.parent());
    let above = above.map(|folder| if folder == "" { Path::new(".") } else { folder });
    let whole = |folder: &&Path| {
        folder.join("config.json").exists() && EXTRACTORS.iter().any(|name| folder.join(name).exists())
    };
    [Some(beside), above].into_iter().flatten().find(whole).map(Path::to_path_buf)
}

/// Where Transformers writes down a feature extractor: alone, or as a part of a processor.
const EXTRACTORS: [&str; 2] = ["preprocessor_config.json", "processor_config.json"];

/// What the two files of a folder say: of the network, of its feature extractor.
fn configs(folder: &Path) -> Result<(Value, Value), Stop> {
    let read = |name: &str| {
        let path = folder.join(name);
        let json = read_json(&path)?;
        serde_json::from_str::<Value>(&json).map_err(|e| Stop::because(shown(&path), e))
    };
    let config = read("config.json")?;
    let mut said: Option<(&str, Value)> = None;
    for name in EXTRACTORS.into_iter().filter(|name| folder.join(name).exists()) {
        let found = read(name)?;
        let extractors = [&found["feature_extractor"], &found];
        let named = extractors.into_iter().find(|one| one["feature_extractor_type"].is_string());
        let Some(extractor) = named else { continue };
        if let Some((other, first)) = &said
            && first != extractor
        {
            let message =
                format!("{other} and {name} say different things of what the network hears; take one away");
            return Err(Stop::because(shown(folder), message));
        }
        said.get_or_insert_with(|| (name, extractor.clone()));
    }
    if let Some((_, extractor)) = said {
        return Ok((config, extractor));
    }
    let message = "no file of it names a feature_extractor_type, so what the network hears is not said";
    Err(Stop::because(shown(folder), message))
}

/// Nothing that is there is overwritten: a manifest is work.
fn write_new(path: &Path, json: &str) -> Result<(), Stop> {
    let write = || File::create_new(path)?.write_all(format!("{json}\n").as_bytes());
    write().map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Stop::because(shown(path), "is there already; move it away first")
        }
        _ => Stop::because(shown(path), e),
    })
}

/// In the place of a value that nobody has said.
fn unknown(what: impl std::fmt::Display) -> Value {
    format!("{UNKNOWN}{what}").into()
}
