//! Whether a model gives the scores of its golden cases here.

use crate::error::{Error, Result, Status};
use crate::inference::Cancel;
use crate::manifest::golden::{Golden, OURSELVES};
use crate::memory::filled;
use crate::model::{ClipOptions, Mean, Model};
use crate::pipeline::STEP;
use crate::text;

/// Bytes of a name that a message shows.
const MAX_BY: usize = 100;

impl Model {
    /// Classifies the manifest's golden cases: the largest difference to a score of theirs. An error if one is beyond
    /// its case's tolerance, or if there are no cases.
    pub fn self_check(&self) -> Result<f32> {
        self.self_check_until(None)
    }

    /// [`self_check`](Self::self_check), which `cancel` can end.
    pub fn self_check_until(&self, cancel: Option<&Cancel>) -> Result<f32> {
        self.check_golden(cancel, |_| Ok(()))
    }

    /// [`self_check_until`](Self::self_check_until), which tells how much of it is done, 0 to 1, and stops for an error.
    pub(super) fn check_golden(
        &self,
        cancel: Option<&Cancel>,
        tell: impl Fn(f32) -> Result<()>,
    ) -> Result<f32> {
        let cases = &self.manifest().golden;
        if cases.is_empty() {
            let message = "a self-check was asked for, but the manifest has no golden cases (\"golden\")";
            return Err(Error::new(Status::Manifest, message));
        }
        let options = ClipOptions { cancel: cancel.cloned(), ..Default::default() };
        let precision = self.scorer().network().precision();
        let mut largest = 0_f32;
        let mut scores = filled(self.class_count(), 0.0, "the scores of a golden case")?;
        for (index, case) in cases.iter().enumerate() {
            tell(index as f32 / cases.len() as f32)?;
            if case.scores.len() != scores.len() {
                let (said, values) = (case.scores.len(), scores.len());
                let message = format!("golden[{index}]: {said} scores; the first output has {values} values");
                return Err(Error::new(Status::Mismatch, message));
            }
            self.classify_case(case, &options, &mut scores)
                .map_err(|e| Error::new(e.status(), format!("golden[{index}]: {}", e.message())))?;
            let apart = |class: usize| (scores[class] - case.scores[class]).abs();
            let worst = (0..scores.len()).max_by(|a, b| apart(*a).total_cmp(&apart(*b))).unwrap_or(0);
            let allowed = case.tolerance.max(precision.tolerance());
            if f64::from(apart(worst)) > allowed {
                return Err(Error::new(
                    Status::Mismatch,
                    format!(
                        "the model does not reproduce its golden case golden[{index}]: {} is {}, {} {}; {allowed} is \
                         allowed{}. {}",
                        name_of(self.labels(), worst),
                        scores[worst],
                        said_by(case),
                        case.scores[worst],
                        precision.remark(),
                        suspects(case)
                    ),
                ));
            }
            largest = largest.max(apart(worst));
        }
        tell(1.0)?;
        Ok(largest)
    }

    /// What `classify` gives for the signal of a case, of which no more than a step is in memory at a time.
    fn classify_case(&self, case: &Golden, options: &ClipOptions, scores: &mut [f32]) -> Result<()> {
        let (mut signal, rate) = case.signal(self.sample_rate());
        let mut stream = self.clip_stream(rate, 1, options)?;
        let mut mean = Mean::new(scores.len())?;
        let mut step = [0.0; STEP];
        loop {
            let count = step.iter_mut().zip(&mut signal).map(|(to, sample)| *to = sample).count();
            let part = (count > 0).then(|| &step[..count]);
            stream.step(part, scores, |_, scores| mean.add(scores))?;
            if part.is_none() {
                mean.write(scores);
                return Ok(());
            }
        }
    }
}

/// Whose the scores of a case are.
fn said_by(case: &Golden) -> String {
    match case.by.as_str() {
        "" => "the manifest says".into(),
        OURSELVES => "Auricle gave, where the case was made,".into(),
        other => format!("{} gave", text::shortened(other, MAX_BY)),
    }
}

/// What can be wrong where a case is not reproduced.
fn suspects(case: &Golden) -> &'static str {
    match case.by.as_str() {
        OURSELVES => "Network, manifest or ONNX Runtime differ from where it was made",
        _ => "The manifest does not say what the network was trained on, or ONNX Runtime differs",
    }
}

/// What a message calls a value.
fn name_of(labels: &[String], index: usize) -> String {
    labels.get(index).map_or_else(|| format!("value {index}"), |label| format!("the score of {label:?}"))
}
