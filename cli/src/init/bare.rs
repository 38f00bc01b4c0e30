//! What a bare ONNX file says: its tensors. What its numbers mean is never in it.

use auricle::stages::inference::contents::{Contents, Declared, Size};
use auricle::stages::inference::ending::Ending;
use serde_json::{Map, Value, json};

use super::{Draft, unknown};
use crate::inspect::{axes, tensor};
use crate::out::shown_text;

/// Characters of a name that a text shows.
const MAX_SHOWN: usize = 60;

/// The tensors of the file, and an unknown for everything that the manifest must say.
pub fn draft(contents: &Contents, name: &str) -> Draft {
    let states: Vec<Option<&Declared>> =
        contents.inputs.iter().map(|input| state_output(input, contents)).collect();
    // What can take audio: no state, and of more than one number.
    let takes_audio = |(input, state): &(&Declared, &Option<&Declared>)| {
        let numbers = ["f32", "f16", "bf16", "f64", "u8", "i8", "i16"].contains(&input.element.as_str());
        numbers && state.is_none() && input.axes.as_ref().is_none_or(|axes| !axes.is_empty())
    };
    let audio: Vec<&Declared> =
        contents.inputs.iter().zip(&states).filter(takes_audio).map(|(input, _)| input).collect();
    let mut input = Map::from_iter([
        ("sample_rate".into(), unknown("Hz that the network was trained at, such as 16000")),
        ("features".into(), unknown(features(&audio))),
        ("layout".into(), unknown(layout(&audio))),
        ("window_seconds".into(), unknown(window(&audio))),
        (
            "normalize".into(),
            unknown(
                "{ \"kind\": \"none\" }, or what was done to the values of a window before the network saw them \
                 (input.normalize)",
            ),
        ),
        (
            "padding".into(),
            unknown(
                "\"none\" if the network takes shorter clips as they are, else what they are filled with \
                 (input.padding)",
            ),
        ),
    ]);
    let first = match audio.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    input.insert(
        "tensor".into(),
        match first {
            Some(input) => input.name.clone().into(),
            None => {
                unknown(format_args!("the input that takes the audio, one of {}", list(&contents.inputs)))
            }
        },
    );
    if let Some(first) = first.filter(|input| input.element != "f32") {
        input.insert("dtype".into(), match first.element.as_str() {
            element @ ("f16" | "f64") => element.into(),
            element => unknown(format_args!(
                "{element:?}, with the scale and zero point of its integers; `auricle-train float-io` takes them from \
                 the file, where it has them"
            )),
        });
    }
    let has_state = states.iter().any(Option::is_some);
    if has_state {
        let lead = "0, or the samples of silence that the code puts before the first window, such as the context that it keeps";
        input.insert("lead_samples".into(), unknown(lead));
    }
    let mut others = Map::new();
    for (other, state) in contents.inputs.iter().zip(states) {
        if first.is_some_and(|first| first.name != other.name) {
            others.insert(other.name.clone(), unknown(meaning(other, state)));
        }
    }
    if !others.is_empty() {
        input.insert("others".into(), others.into());
    }
    let kept: Vec<&Declared> =
        contents.outputs.iter().filter(|output| !is_state_of(output, contents)).collect();
    let outputs: Vec<Value> =
        kept.iter().map(|output| result(output, contents.ending(&output.name))).collect();
    let mut manifest = json!({ "auricle": 1, "name": name, "input": input, "outputs": outputs });
    if has_state {
        let hop = "seconds that the network moves on from run to run: the window, less what it hears twice";
        manifest["stream"] = json!({ "hop_seconds": unknown(hop) });
    }
    let notes = vec!["an ONNX file says nothing of rate, features, classes and windows: the code that trained or runs the \
         network does. Golden cases from that code prove that they were written down right"
        .into()];
    Draft { manifest, notes }
}

fn features(audio: &[&Declared]) -> String {
    format!(
        "{{ \"kind\": \"waveform\" }} if the network takes samples, else the front end that it was trained behind \
         (docs/manifest.md, input.features); {}",
        list(audio.iter().copied())
    )
}

fn layout(audio: &[&Declared]) -> String {
    format!(
        "the axes in order, such as [\"batch\", \"sample\"] or [\"batch\", \"channel\", \"bin\", \"row\"], or \
         [\"batch\", \"row_bin\"] where one axis has all rows; {}",
        list(audio.iter().copied())
    )
}

fn window(audio: &[&Declared]) -> String {
    let fixed = |input: &&Declared| -> Option<u64> {
        let sizes = input.axes.iter().flatten().filter_map(|size| match size {
            Size::Fixed(size) => Some(*size),
            _ => None,
        });
        sizes.max().filter(|size| *size > 1)
    };
    let size = match audio {
        [only] => fixed(only),
        _ => None,
    };
    let size = size.map_or_else(String::new, |size| format!("; the longest axis that is fixed has {size}"));
    format!(
        "seconds that one run hears, or window_samples or window_rows in the place of window_seconds{size}"
    )
}

/// What a further input can be.
fn meaning(input: &Declared, state: Option<&Declared>) -> String {
    let state = match state {
        Some(output) => {
            format!("{{ \"state\": {:?} }} if the output is to come back in the next run", cut(&output.name))
        }
        None => "{ \"state\": OUTPUT } if an output is to come back in the next run".into(),
    };
    format!(
        "{} {}: {state}, {{ \"constant\": NUMBER }}, {{ \"ones\": true }}, {{ \"length\": \"samples\" }} or \
         {{ \"length\": \"rows\" }}",
        input.element,
        axes(input)
    )
}

/// An output, of which the file says its name and its sizes.
fn result(output: &Declared, ending: Ending) -> Value {
    let classes = match output.axes.as_deref() {
        Some([.., Size::Fixed(classes)]) => format!("{classes} names"),
        _ => "names".into(),
    };
    json!({
        "tensor": output.name,
        "kind": unknown(format_args!("\"scores\" of classes, \"embedding\" or \"values\"; {}", cut(&tensor(output)))),
        "labels": unknown(format_args!("{classes} in the order of the outputs, if they are scores; else take this away")),
        "activation": unknown(match ending {
            Ending::Softmax | Ending::Sigmoid => "\"none\" if they are scores, since the network ends in a softmax or sigmoid",
            Ending::LogSoftmax => "\"softmax\" if they are scores, since the network ends in the logarithm of one",
            Ending::Linear => {
                "\"softmax\" or \"sigmoid\" if they are scores, since the network ends in a plain layer: \"none\" would \
                 show its numbers as they are"
            }
            Ending::Unknown => "\"softmax\", \"sigmoid\", or \"none\" if the network has it inside",
        }),
    })
}

/// The output that has the name of an input, but for what exporters add for "the next one", and as many axes.
fn state_output<'a>(input: &Declared, contents: &'a Contents) -> Option<&'a Declared> {
    let same_axes = |output: &&Declared| match (&input.axes, &output.axes) {
        (Some(ours), Some(theirs)) => ours.len() == theirs.len(),
        _ => true,
    };
    let stem = stem(&input.name);
    contents
        .outputs
        .iter()
        .filter(same_axes)
        .filter(|output| output.element == input.element && output.name != input.name)
        .find(|output| self::stem(&output.name) == stem && !is_plain(&input.name, &output.name))
}

fn is_state_of(output: &Declared, contents: &Contents) -> bool {
    contents
        .inputs
        .iter()
        .any(|input| state_output(input, contents).is_some_and(|found| found.name == output.name))
}

/// `input` and `output` are the usual names of what is no state.
fn is_plain(input: &str, output: &str) -> bool {
    [input, output].iter().all(|name| stem(name).is_empty())
}

/// `state` of stateN, state_out, new_state, out_state; `cache0` of in_cache0 and out_cache0; `h` of h0? and hn.
fn stem(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(['_', '.', ':', '/']).filter(|word| {
        !["in", "input", "out", "output", "new", "next", "n", "prev", "old", ""].contains(word)
    });
    let joined: String = words.collect();
    joined.strip_suffix('n').filter(|stem| !stem.is_empty()).map_or(joined.clone(), str::to_owned)
}

fn list<'a>(tensors: impl IntoIterator<Item = &'a Declared>) -> String {
    let mut texts: Vec<String> = tensors.into_iter().map(|one| cut(&tensor(one))).collect();
    let count = texts.len();
    texts.truncate(8);
    match count {
        0 => "the file has none".into(),
        1..=8 => texts.join(", "),
        _ => format!("{} and {} more", texts.join(", "), count - 8),
    }
}

fn cut(text: &str) -> String {
    let text = shown_text(text);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
