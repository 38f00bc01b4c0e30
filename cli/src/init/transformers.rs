//! What the configuration of a network of Hugging Face's Transformers says of its input and its outputs. Extractors are
//! those of Transformers 5.24; of each, what the manifest cannot say is refused by name.

use auricle::stages::inference::contents::{Contents, Declared, Size};
use auricle::stages::inference::ending::Ending;
use serde_json::{Map, Value, json};

use super::{Draft, unknown};
use crate::inspect::tensor;

/// Seconds of audio that a network hears at once which takes any length, as Transformers gives it whole clips.
const WHOLE_CLIP_SECONDS: u32 = 30;

type Result<T> = std::result::Result<T, String>;

/// What an extractor says of `input`, and what its user must know.
struct Heard {
    input: Map<String, Value>,
    notes: Vec<String>,
}

/// The manifest, as far as the two files and the network's tensors say it.
pub fn draft(contents: &Contents, name: &str, config: &Value, extractor: &Value) -> Result<Draft> {
    for (file, value) in [("its extractor's file", extractor), ("config.json", config)] {
        if !value["auto_map"]["AutoFeatureExtractor"].is_null() {
            return Err(format!(
                "auto_map of {file} names code of the model's own for what the network hears, which init cannot read"
            ));
        }
    }
    let extractor = Members(extractor);
    let kind = extractor.text("feature_extractor_type")?.unwrap_or_default();
    let first = first_input(contents)?;
    let Heard { mut input, mut notes } = match kind {
        "ASTFeatureExtractor" => ast(&extractor)?,
        "Wav2Vec2FeatureExtractor" => wav2vec2(&extractor, config, first)?,
        "WhisperFeatureExtractor" => whisper(&extractor)?,
        "ClapFeatureExtractor" => clap(&extractor)?,
        "SeamlessM4TFeatureExtractor" => seamless(&extractor, contents, first)?,
        other => {
            return Err(format!(
                "feature_extractor_type is {other:?}; known are ASTFeatureExtractor, Wav2Vec2FeatureExtractor, \
                 WhisperFeatureExtractor, ClapFeatureExtractor and SeamlessM4TFeatureExtractor. `auricle init` of the ONNX \
                 file alone, in a folder of its own, lists what a manifest must say"
            ));
        }
    };
    input.insert("tensor".into(), first.name.clone().into());
    let rate = extractor.number("sampling_rate")?.unwrap_or(if kind == "ClapFeatureExtractor" {
        48_000.0
    } else {
        16_000.0
    });
    input.insert("sample_rate".into(), whole("sampling_rate", rate)?.into());
    match first.element.as_str() {
        "f32" => {}
        element @ ("f16" | "f64") => {
            input.insert("dtype".into(), element.into());
        }
        _ => {
            return Err(format!(
                "the input {} holds no floats, so it is not what the extractor gives",
                tensor(first)
            ));
        }
    }
    let filled = input.get("padding").is_some_and(|padding| padding != "none");
    let others = others(contents, first, filled)?;
    if !others.is_empty() {
        input.insert("others".into(), others.into());
    }
    let outputs = outputs(contents, config, &mut notes)?;
    let name = config["_name_or_path"].as_str().filter(|name| !name.is_empty()).unwrap_or(name);
    Ok(Draft { manifest: json!({ "auricle": 1, "name": name, "input": input, "outputs": outputs }), notes })
}

/// The members of an object, of kinds that are checked.
struct Members<'a>(&'a Value);

impl Members<'_> {
    fn number(&self, name: &str) -> Result<Option<f64>> {
        match &self.0[name] {
            Value::Null => Ok(None),
            value => value.as_f64().map(Some).ok_or_else(|| format!("{name} is {value}; a number is wanted")),
        }
    }

    fn text(&self, name: &str) -> Result<Option<&str>> {
        match &self.0[name] {
            Value::Null => Ok(None),
            value => value.as_str().map(Some).ok_or_else(|| format!("{name} is {value}; a text is wanted")),
        }
    }

    fn is(&self, name: &str, default: bool) -> Result<bool> {
        match &self.0[name] {
            Value::Null => Ok(default),
            value => value.as_bool().ok_or_else(|| format!("{name} is {value}; true or false is wanted")),
        }
    }

    /// An integer above 0.
    fn count(&self, name: &str, default: u32) -> Result<u32> {
        self.number(name)?.map_or(Ok(default), |value| whole(name, value))
    }

    /// Refuses what the manifest has no word for.
    fn must_be(&self, name: &str, only: f64, why: &str) -> Result<()> {
        match self.number(name)? {
            Some(value) if value != only => {
                Err(format!("{name} is {value}; a manifest can say {only} only, {why}"))
            }
            _ => Ok(()),
        }
    }

    /// An even number. Transformers 5.24 spreads the bins of a transform from 0 to half of the rate, rounded down, which is
    /// where they are for even ones only.
    fn even(&self, name: &str, default: u32) -> Result<u32> {
        match self.count(name, default)? {
            odd if odd % 2 == 1 => Err(format!(
                "{name} is {odd}; init knows even ones only, since Transformers' filters for \
                                               odd ones lie beside the bins of the transform"
            )),
            even => Ok(even),
        }
    }

    /// Refuses clips that are filled up at their start.
    fn fills_the_end(&self) -> Result<()> {
        match self.text("padding_side")? {
            None | Some("right") => Ok(()),
            Some(side) => Err(format!(
                "padding_side is {side:?}; init knows \"right\" only, what is filled up standing behind the clip"
            )),
        }
    }
}

fn whole(name: &str, value: f64) -> Result<u32> {
    match value.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&value) {
        true => Ok(value as u32),
        false => Err(format!("{name} is {value}; an integer above 0 is wanted")),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn first_input(contents: &Contents) -> Result<&Declared> {
    let usual = |input: &&Declared| ["input_values", "input_features"].contains(&input.name.as_str());
    let first = contents.inputs.iter().find(usual).or(match contents.inputs.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    first.ok_or_else(|| {
        let names: Vec<String> = contents.inputs.iter().take(8).map(tensor).collect();
        format!("the network has no input input_values or input_features; it has {}", names.join(", "))
    })
}

/// The further inputs: masks of ones, since a window is never a part of a batch; not of windows that are `filled` up.
fn others(contents: &Contents, first: &Declared, filled: bool) -> Result<Map<String, Value>> {
    let mut others = Map::new();
    for input in contents.inputs.iter().filter(|input| input.name != first.name) {
        let meaning = match input.name.as_str() {
            "attention_mask" if filled => {
                return Err("the network has an input attention_mask, which is 0 where a short clip is filled up; a \
                            manifest has no mask but ones. Export it without the mask, or with an axis of any length"
                    .into());
            }
            "attention_mask" => json!({ "ones": true, "shape": mask_shape(first) }),
            _ => {
                return Err(format!(
                    "the network has an input {} beside {}, of which the configuration does not say what it is",
                    tensor(input),
                    tensor(first)
                ));
            }
        };
        others.insert(input.name.clone(), meaning);
    }
    Ok(others)
}

/// As many ones as there are samples or rows.
fn mask_shape(first: &Declared) -> Value {
    match first.name.as_str() {
        "input_values" => json!(["batch", "sample"]),
        _ => json!(["batch", "row"]),
    }
}

/// `ASTFeatureExtractor`: torchaudio's filter bank, rows of 0 behind it, then the normalisation.
fn ast(extractor: &Members<'_>) -> Result<Heard> {
    extractor.must_be(
        "sampling_rate",
        16_000.0,
        "since Transformers with torchaudio and without give different rows else",
    )?;
    let bins = extractor.count("num_mel_bins", 128)?;
    let (mean, std) =
        (extractor.number("mean")?.unwrap_or(-4.267_739_3), extractor.number("std")?.unwrap_or(4.568_997_4));
    let normalize = match extractor.is("do_normalize", true)? {
        true => json!({ "kind": "mean_std", "mean": mean, "std": 2.0 * std }),
        false => json!({ "kind": "none" }),
    };
    Ok(Heard {
        input: object(json!({
            "window_rows": extractor.count("max_length", 1024)?,
            "features": { "preset": "ast", "mel": { "bins": bins } },
            "normalize": normalize,
            // ASTFeatureExtractor fills with 0, whatever its padding_value.
            "padding": { "of": "rows", "with": 0 },
            "layout": ["batch", "row", "bin"],
        })),
        notes: Vec::new(),
    })
}

/// `Wav2Vec2FeatureExtractor`: samples, of which Transformers gives a clip whole.
fn wav2vec2(extractor: &Members<'_>, config: &Value, first: &Declared) -> Result<Heard> {
    extractor.must_be("feature_size", 1.0, "which is one channel")?;
    let normalize = match extractor.is("do_normalize", true)? {
        true => json!({ "kind": "window", "over": "all", "epsilon": 1e-7 }),
        false => json!({ "kind": "none" }),
    };
    let layout = match first.axes.as_deref() {
        Some([_, Size::Fixed(1), _]) => json!(["batch", "channel", "sample"]),
        Some([_, _]) | None => json!(["batch", "sample"]),
        _ => {
            return Err(format!(
                "the input {}: known are [batch, samples] and [batch, 1, samples]",
                tensor(first)
            ));
        }
    };
    let mut input = object(json!({
        "features": { "kind": "waveform" }, "normalize": normalize, "layout": layout,
    }));
    let mut notes = Vec::new();
    match first.axes.as_deref() {
        Some([.., Size::Fixed(samples)]) => {
            input.insert("window_samples".into(), (*samples).into());
            // Transformers' padding="max_length" normalises what there is, and then fills it up.
            let value = extractor.number("padding_value")?.unwrap_or(0.0);
            let transformers = json!({ "of": "rows", "with": value, "after_normalize": true });
            input.insert(
                "padding".into(),
                unknown(format_args!(
                    "how clips shorter than {samples} samples were filled, which no file says: {transformers} is padding \
                     \"max_length\" of the extractor, \"repeat\" the clip again and again (input.padding)"
                )),
            );
        }
        _ => {
            whole_clip(&mut input, &mut notes);
            input.insert("min_rows".into(), receptive_field(config)?.into());
        }
    }
    Ok(Heard { input, notes })
}

/// Fewest samples from which the convolutions of wav2vec2 and its like make a row.
fn receptive_field(config: &Value) -> Result<u64> {
    let list = |name: &str| -> Result<Vec<u64>> {
        let values = config[name].as_array().ok_or_else(|| format!("config.json has no list {name}"))?;
        let number = |value: &Value| value.as_u64().filter(|n| (1..=1 << 16).contains(n));
        values
            .iter()
            .take(64)
            .map(|value| number(value).ok_or_else(|| format!("{name} of config.json has {value}")))
            .collect()
    };
    let (kernels, strides) = (list("conv_kernel")?, list("conv_stride")?);
    let rows = kernels
        .iter()
        .zip(&strides)
        .rev()
        .try_fold(1_u64, |rows, (kernel, stride)| (rows - 1).checked_mul(*stride)?.checked_add(*kernel));
    rows.filter(|rows| *rows < 1 << 24)
        .ok_or_else(|| "conv_kernel and conv_stride of config.json are too large".into())
}

/// `WhisperFeatureExtractor`: OpenAI's log-mel of a stretch that is filled with silence.
fn whisper(extractor: &Members<'_>) -> Result<Heard> {
    extractor.must_be("dither", 0.0, "since scores are to repeat")?;
    extractor.must_be("padding_value", 0.0, "which is silence")?;
    extractor.must_be("sampling_rate", 16_000.0, "which Whisper's filter bank is for")?;
    extractor.fills_the_end()?;
    let (rate, seconds) = (extractor.count("sampling_rate", 16_000)?, extractor.count("chunk_length", 30)?);
    let samples = rate.checked_mul(seconds).ok_or("chunk_length is too long")?;
    let mut notes = Vec::new();
    if extractor.is("do_normalize", false)? {
        notes.push("do_normalize is in the file, which Transformers 5.24 ignores there; if the code of the model gives it \
                    when it calls the extractor, input.samples must say so".into());
    }
    Ok(Heard {
        input: object(json!({
            "window_samples": samples,
            "features": {
                "preset": "whisper",
                "fft": extractor.even("n_fft", 400)?,
                "frame_hop": extractor.count("hop_length", 160)?,
                "mel": { "bins": extractor.count("feature_size", 80)? },
            },
            "padding": { "with": 0 },
            "layout": ["batch", "bin", "row"],
        })),
        notes,
    })
}

/// `ClapFeatureExtractor`: librosa's filters, the clip repeated whole times and then filled with silence.
fn clap(extractor: &Members<'_>) -> Result<Heard> {
    if extractor.text("truncation")?.unwrap_or("fusion") != "rand_trunc" {
        return Err("truncation is \"fusion\": four mel spectrograms at once, three of them of places that are drawn, and \
                    is_longer, which Transformers sets by chance; a manifest cannot say that. A checkpoint with \"rand_trunc\" \
                    (laion/clap-htsat-unfused) can be had, or the fusion put into the graph"
            .into());
    }
    extractor.must_be("padding_value", 0.0, "which is silence")?;
    if !extractor.0["top_db"].is_null() {
        return Err("top_db is not null, which Transformers 5.24 itself ignores; take it out if the model was not trained \
                    with it".into());
    }
    let padding = match extractor.text("padding")?.unwrap_or("repeatpad") {
        "repeatpad" => json!("repeat_whole"),
        "repeat" => json!("repeat"),
        "pad" => json!(0),
        other => return Err(format!("padding is {other:?}; known are repeatpad, repeat and pad")),
    };
    let (fft, rate) = (extractor.even("fft_window_size", 1024)?, extractor.even("sampling_rate", 48_000)?);
    let samples = rate.checked_mul(extractor.count("max_length_s", 10)?).ok_or("max_length_s is too long")?;
    Ok(Heard {
        input: object(json!({
            "window_samples": samples,
            "features": {
                "kind": "mel", "fft": fft, "frame_hop": extractor.count("hop_length", 480)?, "power": 2,
                "mel": {
                    "bins": extractor.count("feature_size", 64)?, "scale": "slaney", "norm": "slaney",
                    "low_hz": extractor.number("frequency_min")?.unwrap_or(0.0),
                    "high_hz": extractor.number("frequency_max")?.unwrap_or(14_000.0),
                },
                "log": { "kind": "db", "floor": 1e-10 },
            },
            "padding": { "with": padding },
            "layout": ["batch", "channel", "row", "bin"],
        })),
        notes: vec!["Transformers takes a place by chance from clips longer than the window; the manifest hears all of them, \
                     window by window".into()],
    })
}

/// `SeamlessM4TFeatureExtractor` (w2v-BERT): Kaldi's filter bank, each bin normalised over the clip, rows stacked. An odd
/// row at the end is masked out in Transformers, and left out here.
fn seamless(extractor: &Members<'_>, contents: &Contents, first: &Declared) -> Result<Heard> {
    extractor.must_be("stride", 2.0, "since rows are filled up to an even number")?;
    extractor.must_be("sampling_rate", 16_000.0, "since frames have 400 samples at every rate")?;
    extractor.fills_the_end()?;
    if !contents.inputs.iter().any(|input| input.name == "attention_mask") {
        return Err("the network has no input attention_mask, so that it hears the row of 0 with which Transformers makes the \
                    number of rows even; export it with the mask"
            .into());
    }
    let mut input = object(json!({
        "features": { "preset": "kaldi", "mel": { "bins": extractor.count("num_mel_bins", 80)? } },
        "normalize": { "kind": "window", "over": "bin", "epsilon": 1e-7, "unbiased": true },
        "stack": { "rows": 2, "hop": 2, "after_normalize": true },
        "layout": ["batch", "row", "bin"],
    }));
    let mut notes = Vec::new();
    match first.axes.as_deref() {
        Some([_, Size::Fixed(rows), _]) => {
            return Err(format!(
                "the input {} takes {rows} rows, no more and no fewer, and the configuration does not say how shorter clips \
                 are filled; export it with a dynamic axis of rows",
                tensor(first)
            ));
        }
        _ => whole_clip(&mut input, &mut notes),
    }
    Ok(Heard { input, notes })
}

/// Of a network that takes any length, and in Transformers is given whole clips.
fn whole_clip(input: &mut Map<String, Value>, notes: &mut Vec<String>) {
    input.insert("window_seconds".into(), WHOLE_CLIP_SECONDS.into());
    input.insert("padding".into(), "none".into());
    notes.push(format!(
        "the network takes clips of any length, as a whole: window_seconds {WHOLE_CLIP_SECONDS} hears clips of up to \
         {WHOLE_CLIP_SECONDS} s at once and cuts longer ones; a stream gives a result each window_seconds, so make that \
         shorter, or give stream.hop_seconds"
    ));
}

/// Scores of the classes of config.json, or embeddings.
fn outputs(contents: &Contents, config: &Value, notes: &mut Vec<String>) -> Result<Vec<Value>> {
    let found = |name: &str| contents.outputs.iter().find(|output| output.name == name);
    if let Some(logits) = found("logits") {
        let frames = logits.axes.as_ref().is_some_and(|axes| axes.len() != 2);
        if frames {
            return Err(format!(
                "the output {} has more than one row a clip, such as a recogniser of speech or a tagger of frames; \
                 write outputs.rows by hand",
                tensor(logits)
            ));
        }
        let labels = labels(config)?;
        let activation = activation(contents, config, labels.len(), notes)?;
        return Ok(vec![
            json!({ "tensor": "logits", "kind": "scores", "labels": labels, "activation": activation }),
        ]);
    }
    for name in ["audio_embeds", "pooler_output", "embeddings"] {
        if found(name).is_some() {
            return Ok(vec![json!({ "tensor": name, "kind": "embedding" })]);
        }
    }
    if found("last_hidden_state").is_some() {
        notes.push("the output last_hidden_state has a row for every 20 ms or so; the manifest has their mean as the \
                    embedding (outputs.rows), which the configuration does not ask for".into());
        return Ok(vec![json!({ "tensor": "last_hidden_state", "kind": "embedding", "rows": "mean" })]);
    }
    let names: Vec<String> = contents.outputs.iter().take(8).map(tensor).collect();
    Err(format!(
        "the network has none of the outputs logits, audio_embeds, pooler_output and last_hidden_state; it has {}",
        names.join(", ")
    ))
}

/// What makes scores of the logits: what config.json says, unless the graph has it inside.
fn activation(contents: &Contents, config: &Value, classes: usize, notes: &mut Vec<String>) -> Result<Value> {
    let problem = match &config["problem_type"] {
        Value::Null => "",
        Value::String(problem) => problem.as_str(),
        other => return Err(format!("problem_type of config.json is {other}; a text is wanted")),
    };
    let ending = contents.ending("logits");
    if matches!(ending, Ending::Softmax | Ending::Sigmoid) && problem != "regression" {
        notes.push(format!(
            "the network ends in a {ending:?} already, so the manifest has no activation of its own, whatever config.json says"
        ));
        return Ok("none".into());
    }
    let said = match problem {
        "multi_label_classification" => "sigmoid",
        "regression" => "none",
        "" | "single_label_classification" if classes == 1 => {
            return Ok(unknown(
                "\"sigmoid\" if the one output says how sure the network is of its class, \"none\" if it is a number \
                 of another kind; softmax, which Transformers' pipeline has for it, is always 1",
            ));
        }
        "" | "single_label_classification" => "softmax",
        other => {
            return Err(format!(
                "problem_type of config.json is {other:?}, which Transformers does not know"
            ));
        }
    };
    if problem.is_empty() {
        notes.push("config.json has no problem_type; the manifest has softmax, as Transformers' pipeline does then. A \
                    model of several sounds at once (AudioSet) was trained for sigmoid".into());
    }
    Ok(said.into())
}

/// `id2label` in the order of its numbers, without a gap.
fn labels(config: &Value) -> Result<Vec<&str>> {
    let names =
        config["id2label"].as_object().ok_or("config.json has no id2label, so its classes have no names")?;
    (0..names.len())
        .map(|index| {
            let name = names.get(&index.to_string()).and_then(Value::as_str);
            name.ok_or_else(|| {
                format!("id2label of config.json has {} entries, but none of them is {index}", names.len())
            })
        })
        .collect()
}
