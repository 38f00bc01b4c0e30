//! `auricle inspect`: the record of what a model is and what runs it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::model;
use crate::out::{Stdout, Stop, shown, shown_text, visible};

/// Say what a model expects and what runs it
///
/// Prints the model's record for traceability: versions, files, SHA-256 sums, options, and the manifest with every
/// default filled in. Runs the manifest's golden cases, if there are any, and fails if the model does not reproduce them.
#[derive(clap::Args)]
pub struct Args {
    /// The ONNX model
    model: PathBuf,
    /// Print the record as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, runtime: Option<&Path>, out: &mut Stdout) -> Result<(), Stop> {
    let model = model::load(Some(&args.model), runtime)?;
    let unreadable = |error: &dyn std::fmt::Display| Stop::because("the model's record", error);
    let record = model.describe().map_err(|error| unreadable(&error))?;
    let mut record: Value = serde_json::from_str(&record).map_err(|error| unreadable(&error))?;
    record["golden"] = match model.manifest().golden.len() {
        0 => "none in the manifest".into(),
        cases => {
            let largest = model.self_check().map_err(|e| Stop::because(shown(&args.model), e))?;
            format!("{cases} cases reproduced, the largest difference of a score is {largest:.1e}").into()
        }
    };
    if args.json {
        let record = serde_json::to_string_pretty(&record);
        return out.line(visible(record.map_err(|e| Stop::because("the model's record", e))?));
    }
    let mut text = String::new();
    write_tree(&mut text, &record, 0);
    out.line(text.trim_end())
}

/// Members in the order in which a person wants to read them; others follow in the order of the alphabet.
const ORDER: [&str; 17] = [
    "manifest",
    "value",
    "name",
    "version",
    "licence",
    "labels",
    "input",
    "output",
    "stream",
    "tensor",
    "kind",
    "sample_rate",
    "model",
    "onnxruntime",
    "auricle",
    "file",
    "sha256",
];

/// One line a value, its name before it; what belongs to an object is indented below the object's name.
fn write_tree(text: &mut String, value: &Value, depth: usize) {
    let Value::Object(members) = value else { return };
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_by_key(|(name, value)| {
        (value.is_object(), ORDER.iter().position(|first| first == name).unwrap_or(ORDER.len()))
    });
    let width = members.iter().filter(|(_, v)| !v.is_object()).map(|(name, _)| name.chars().count()).max();
    for (name, value) in members {
        let (indent, name) = ("  ".repeat(depth), shown_text(name));
        if value.is_object() {
            text.push_str(&format!("{indent}{name}\n"));
            write_tree(text, value, depth + 1);
        } else {
            text.push_str(&format!("{indent}{name:width$}  {}\n", leaf(value), width = width.unwrap_or(0)));
        }
    }
}

fn leaf(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) if text.is_empty() => "-".into(),
        Value::String(text) => shown_text(text),
        Value::Array(values) => values.iter().map(leaf).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
