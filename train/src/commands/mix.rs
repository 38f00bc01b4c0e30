//! `mix`: annotated scenes from clips.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use auricle_train::dataset::{Clip, Dataset, Source};
use auricle_train::mix::{Scenes, write_wav};

use super::{backgrounds, said};

/// Makes annotated recordings from clips, for `evaluate --events`
///
/// Sounds lie at random times and levels over pink noise, or over recordings. Writes WAV files, and `events.csv` that says
/// what is heard when. The same command makes the same files.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Source,
    /// Folds of the clips to take, like 1,2; all without.
    #[arg(long, value_delimiter = ',')]
    only: Vec<u32>,
    #[command(flatten)]
    scenes: Scenes,
    /// Folder of recordings that are the background, in place of pink noise.
    #[arg(long)]
    background: Option<PathBuf>,
    /// Rate of the scenes, Hz.
    #[arg(long, default_value_t = 16_000)]
    sample_rate: u32,
    /// Folder to write; it must not hold scenes already.
    #[arg(long)]
    out: PathBuf,
}

impl Args {
    pub fn run(self) -> Result<()> {
        self.scenes.check()?;
        let csv = self.out.join("events.csv");
        ensure!(!csv.exists(), "{}: is there already", csv.display());
        fs::create_dir_all(&self.out).with_context(|| self.out.display().to_string())?;
        let data = said(Dataset::load(&self.data, self.sample_rate, 1)?, self.sample_rate);
        data.one_class_each("A scene needs clips of one class.")?;
        let clips: Vec<&Clip> =
            data.clips.iter().filter(|clip| self.only.is_empty() || self.only.contains(&clip.fold)).collect();
        ensure!(!clips.is_empty(), "--only {:?}: the clips are in the folds {:?}", self.only, data.folds());
        let backgrounds = backgrounds(self.background.as_deref(), self.sample_rate)?;
        let mut table = csv::Writer::from_path(&csv).with_context(|| csv.display().to_string())?;
        table.write_record(["file", "onset", "offset", "class"])?;
        let mut count = 0;
        for number in 0..self.scenes.scenes {
            let (samples, sounds) = self.scenes.scene(number, &clips, &backgrounds, self.sample_rate);
            let file = format!("{:04}.wav", number + 1);
            write_wav(&self.out.join(&file), &samples, self.sample_rate)?;
            if sounds.is_empty() {
                table.write_record([file.as_str(), "", "", ""])?;
            }
            for sound in &sounds {
                let times = [sound.onset, sound.offset].map(|seconds| format!("{seconds:.3}"));
                table.write_record([&file, &times[0], &times[1], &data.classes[sound.class]])?;
            }
            count += sounds.len();
        }
        table.flush()?;
        println!("{}: {count} sounds in {} scenes", csv.display(), self.scenes.scenes);
        Ok(())
    }
}
