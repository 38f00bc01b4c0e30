//! `auricle inspect`: the record of what a model is and what runs it; of a file without a manifest, what it holds.

use std::path::{Path, PathBuf};

use auricle::manifest::METADATA_KEY;
use auricle::stages::inference::contents::{Contents, Declared, Opset, Size};
use auricle::stages::inference::ending::Ending;
use serde_json::{Value, json};

use crate::model::{self, Engine};
use crate::out::{Stdout, Stop, shown, shown_text, visible};

/// Say what a model expects and what runs it
///
/// Prints the model's record for traceability: versions, files, SHA-256 sums, options, and the manifest with every
/// default filled in. Runs the manifest's golden cases, if there are any, and fails if the model does not reproduce them.
/// Of an ONNX file without a manifest, prints what the file says of itself; that takes no ONNX Runtime.
#[derive(clap::Args)]
pub struct Args {
    /// The ONNX model
    model: PathBuf,
    /// Print the record as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, engine: Engine<'_>, out: &mut Stdout) -> Result<(), Stop> {
    let contents = Contents::read(&args.model).map_err(Stop::new)?;
    let embedded = contents.metadata.iter().any(|entry| entry.key == METADATA_KEY);
    if !embedded && !args.model.with_extension("auricle.json").exists() {
        return match args.json {
            true => out.line(pretty(&json!({ "manifest": null, "network": contents }))?),
            false => out.line(listing(&args.model, &contents).trim_end()),
        };
    }
    let model = model::load(Some(&args.model), engine)?;
    let unreadable = |error: &dyn std::fmt::Display| Stop::because("the model's record", error);
    let record = model.describe().map_err(|error| unreadable(&error))?;
    let mut record: Value = serde_json::from_str(&record).map_err(|error| unreadable(&error))?;
    record["network"] = json!(contents);
    record["golden"] = match model.manifest().golden.len() {
        0 => "none in the manifest".into(),
        cases => {
            let largest = model.self_check().map_err(|e| Stop::because(shown(&args.model), e))?;
            format!("{cases} cases reproduced, the largest difference of a score is {largest:.1e}").into()
        }
    };
    if args.json {
        return out.line(pretty(&record)?);
    }
    record["providers"] = by_name(&record["providers"]);
    let mut text = String::new();
    write_tree(&mut text, &record, 0);
    out.line(text.trim_end())
}

/// Each provider under its name, without the names of its nodes, of which there can be hundreds.
fn by_name(providers: &Value) -> Value {
    let one = |provider: &Value| {
        let mut members = provider.as_object()?.clone();
        members.remove("nodes");
        let name = members.remove("name")?.as_str()?.to_owned();
        Some((name, Value::Object(members)))
    };
    Value::Object(providers.as_array().into_iter().flatten().filter_map(one).collect())
}

fn pretty(record: &Value) -> Result<String, Stop> {
    let json = serde_json::to_string_pretty(record);
    Ok(visible(json.map_err(|e| Stop::because("the model's record", e))?))
}

/// What a file without a manifest holds, for people.
fn listing(file: &Path, contents: &Contents) -> String {
    let beside = file.with_extension("auricle.json");
    let mut lines = vec![format!(
        "{}: no manifest, in the file or beside it ({beside}); `auricle init {} -o {beside}` begins one",
        shown(file),
        shown(file),
        beside = shown(&beside)
    )];
    lines.extend(contents.inputs.iter().map(|input| format!("input   {}", tensor(input))));
    lines.extend(contents.outputs.iter().zip(&contents.endings).map(|(output, ending)| {
        let ending = match ending {
            Ending::Unknown => String::new(),
            Ending::Linear => ", of a plain layer".into(),
            other => format!(", of a {other:?}"),
        };
        format!("output  {}{ending}", tensor(output))
    }));
    let opset = |set: &Opset| match set.domain.as_str() {
        "" => format!("ai.onnx {}", set.version),
        domain => format!("{} {}", shown_text(domain), set.version),
    };
    lines.push(format!("opset   {}", contents.opsets.iter().map(opset).collect::<Vec<_>>().join(", ")));
    for entry in &contents.metadata {
        lines.push(format!("metadata  {} ({} bytes)", shown_text(&entry.key), entry.bytes));
    }
    for weights in &contents.weights_in {
        lines.push(format!("weights in  {}", shown_text(weights)));
    }
    lines.push(format!("bytes   {}", contents.bytes));
    lines.push(format!("sha256  {}", contents.sha256));
    if let Some(reason) = &contents.refused {
        lines.push(format!("is not loaded as it is, because it {}", shown_text(reason)));
    }
    lines.join("\n")
}

/// Name, element type and axes of a tensor.
pub fn tensor(tensor: &Declared) -> String {
    format!("\"{}\" {} {}", shown_text(&tensor.name), tensor.element, axes(tensor))
}

/// Sizes of its axes: `[batch, 80, ?]`.
pub fn axes(tensor: &Declared) -> String {
    let size = |size: &Size| match size {
        Size::Fixed(size) => size.to_string(),
        Size::Named(name) => shown_text(name),
        Size::Any => "?".into(),
    };
    match &tensor.axes {
        Some(axes) => format!("[{}]", axes.iter().map(size).collect::<Vec<_>>().join(", ")),
        None => "of a number of axes that the file does not say".into(),
    }
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
        (is_tree(value), ORDER.iter().position(|first| first == name).unwrap_or(ORDER.len()))
    });
    let width = members.iter().filter(|(_, v)| !is_tree(v)).map(|(name, _)| name.chars().count()).max();
    for (name, value) in members {
        let (indent, name) = ("  ".repeat(depth), shown_text(name));
        if let (true, Some(parts)) = (is_tree(value), value.as_array()) {
            for (index, part) in parts.iter().enumerate() {
                text.push_str(&format!("{indent}{name}[{index}]\n"));
                write_tree(text, part, depth + 1);
            }
        } else if value.is_object() {
            text.push_str(&format!("{indent}{name}\n"));
            write_tree(text, value, depth + 1);
        } else {
            text.push_str(&format!("{indent}{name:width$}  {}\n", leaf(value), width = width.unwrap_or(0)));
        }
    }
}

/// Whether it takes lines of its own.
fn is_tree(value: &Value) -> bool {
    value.is_object() || value.as_array().is_some_and(|parts| parts.iter().any(Value::is_object))
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
