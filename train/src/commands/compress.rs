//! `auricle-train compress`: a smaller and faster file, and what it costs.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use auricle::{Model, ModelOptions};
use auricle_train::compress::measure::{Measured, accuracy, agreement, knows, latencies, table};
use auricle_train::compress::{How, compress};
use auricle_train::dataset::{Clip, Source};
use auricle_train::front_end::FrontEndSpec;
use auricle_train::sources::Sources;

use super::{OutputArgs, load, stamp};

/// Clips that show what values the network's tensors take, spread over all that are not held out.
const CALIBRATION_CLIPS: usize = 100;

/// Makes a model smaller and faster, and measures what that costs
///
/// Prints size, time of one inference on one thread, and accuracy on the held-out fold, before and after. The model must
/// have been trained without that fold (`train --hold-out`), or the accuracies say nothing. For a model of other classes
/// than the clips', how often its best class stays the same stands in for accuracy. Writes no file that lost too much.
#[derive(clap::Args)]
pub struct Args {
    /// ONNX file with its manifest.
    model: PathBuf,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    data: Source,
    /// Fold that the model was not trained on: by it the accuracy is measured. The others calibrate.
    #[arg(long)]
    hold_out: u32,
    /// Accuracy that may be lost, in points (hundredths); of a model of other classes than the clips', the share of clips
    /// whose best class may change.
    #[arg(long, default_value_t = 1.0)]
    max_drop: f64,
    #[command(flatten)]
    output: OutputArgs,
}

impl Args {
    pub fn run(self) -> Result<()> {
        self.output.check()?;
        let onnx = stamp::read(&self.model)?;
        let options = ModelOptions::default();
        let before = Model::load(&self.model, &options)?;
        let data = load(&self.data, &FrontEndSpec::of(before.manifest()))?;
        let (held, rest) = data.hold_out(&[self.hold_out])?;
        if let Some(doubt) = Sources::doubt(&onnx, &held)? {
            eprintln!("warning: {doubt}");
        }
        let step = rest.len().div_ceil(CALIBRATION_CLIPS);
        let calibration: Vec<&Clip> = rest.into_iter().step_by(step).collect();
        let (file, done) = compress(&onnx, before.manifest(), &self.how, &calibration)
            .with_context(|| self.model.display().to_string())?;
        let after = Model::load_memory(&file, None, &options)?;

        let known = knows(&before, &data.classes);
        let seconds = latencies(&[&before, &after])?;
        let row = |name: &str, bytes, seconds, model: &Model| {
            let accuracy = known.then(|| accuracy(model, &held, &data.classes)).transpose()?;
            Ok::<_, anyhow::Error>(Measured { name: name.into(), bytes, seconds, accuracy })
        };
        let rows =
            [row("before", onnx.len(), seconds[0], &before)?, row("after", file.len(), seconds[1], &after)?];
        let agreed = agreement(&before, &after, &held)?;
        println!(
            "{done}\n{}{} the {} clips of fold {}: best class the same for {:.2} %, largest difference of a score {:.4} \
             in the mean, {:.4} at most",
            table(&rows),
            if known { "accuracy on" } else { "the model has other classes than" },
            held.len(),
            self.hold_out,
            100.0 * agreed.same,
            agreed.mean,
            agreed.max
        );
        let (lost, of) = match (rows[0].accuracy, rows[1].accuracy) {
            (Some(before), Some(after)) => (before - after, "accuracy"),
            _ => (1.0 - agreed.same, "agreement"),
        };
        let lost = 100.0 * lost;
        ensure!(
            lost <= self.max_drop + 1e-9,
            "{lost:.2} points of {of} are lost, --max-drop allows {}: {} is not written",
            self.max_drop,
            self.output.out.display()
        );
        stamp::write(&self.output.out, &file)?;
        println!("{}: {} bytes", self.output.out.display(), file.len());
        Ok(())
    }
}
