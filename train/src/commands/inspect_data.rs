//! `inspect-data`: what recordings are like, before anything is trained on them.

use std::path::PathBuf;

use anyhow::Result;
use auricle::stages::scores::Activation;
use auricle_train::dataset::{Dataset, Source};
use auricle_train::front_end::{About, InputArgs};
use auricle_train::inspect::Inspection;
use auricle_train::report::Painter;
use indicatif::MultiProgress;

use super::curve::bar;
use super::writable;

/// Says what labelled recordings are like
///
/// Counts, lengths and levels by class and fold; what is silent, at full scale, or padded with digital silence; files that
/// cannot be read or break off; clips that are there twice or share sound, across classes and folds; labels that a simple
/// classifier doubts when it has not heard the clip; classes that a fold does not have.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Source,
    #[command(flatten)]
    input: InputArgs,
    /// Where to write all of it: JSON, and beside it a page, .html, with the sounds.
    #[arg(long)]
    report: Option<PathBuf>,
    /// A line of text instead of a bar; so too where the output is no terminal.
    #[arg(long)]
    plain: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        if let Some(json) = &self.report {
            writable(json)?;
            writable(&json.with_extension("html"))?;
        }
        let front_end = self.input.spec()?;
        let rate = front_end.sample_rate();
        let data = Dataset::load(&self.data, rate, front_end.min_samples())?;
        let features = front_end.manifest(&About::nameless(), &data.classes, Activation::Softmax)?;
        let bar = bar(&MultiProgress::new(), "listen".into(), data.clips.len(), self.plain);
        let found = Inspection::new(&data, rate, &features, &|| bar.inc(1))?;
        bar.finish_and_clear();
        print!("{found}");
        if let Some(json) = &self.report {
            println!("{}", found.write(json, &data, &Painter::new(features))?.display());
        }
        Ok(())
    }
}
