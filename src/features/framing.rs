//! Where frames lie in the samples, and what stands beyond the samples' ends.

use super::spec::{Align, EdgePad, Spec};

/// Which samples each row is computed from. Positions are in samples from the first one given.
#[derive(Clone, Debug)]
pub(super) struct Framing {
    pub length: usize,
    pub hop: usize,
    /// Where the frame of row 0 begins; negative if it begins in the padding.
    pub first: isize,
    edges: Edges,
}

#[derive(Clone, Debug)]
enum Edges {
    /// Rows only where `span` samples from the row's place on are all there.
    Inside { span: usize },
    /// The same, and one row more if samples are left, with zeros beyond their end.
    Last { span: usize },
    /// Rows are centred on multiples of the hop; `margin` samples of padding on both sides. Of an odd
    /// FFT the margins are a sample short.
    Center { margin: usize, short: usize, pad: EdgePad, drop_last: bool },
    /// Kaldi without snip_edges: rows are centred on the middle of their hop; the samples are mirrored with the
    /// end sample repeated.
    Hops,
}

impl Framing {
    /// `None` if `spec`, which is a resolved one, has no frames.
    pub fn new(spec: &Spec) -> Option<Self> {
        let (fft, length, hop) = (spec.fft?, spec.frame_length?, spec.frame_hop?);
        let lead = if spec.frame_align == Some(Align::Center) { (fft - length) / 2 } else { 0 };
        let span = if spec.frame_align == Some(Align::Center) { fft } else { length };
        let (first, edges) = match (spec.snip_edges, spec.center) {
            (Some(false), _) => ((hop / 2) as isize - (length / 2) as isize, Edges::Hops),
            (_, Some(true)) => {
                let edges = Edges::Center {
                    margin: fft / 2,
                    short: fft % 2,
                    pad: spec.pad.unwrap_or(EdgePad::Reflect),
                    drop_last: spec.drop_last == Some(true),
                };
                (lead as isize - (fft / 2) as isize, edges)
            }
            _ if spec.pad_last == Some(true) => (lead as isize, Edges::Last { span }),
            _ => (lead as isize, Edges::Inside { span }),
        };
        Some(Self { length: length.min(fft), hop, first, edges })
    }

    pub fn min_samples(&self) -> usize {
        match self.edges {
            Edges::Inside { span } => span,
            Edges::Last { .. } => 1,
            // A mirror image of `margin` samples needs one sample more.
            Edges::Center { margin, pad, drop_last, .. } => {
                let mirrored = if pad == EdgePad::Reflect { margin + 1 } else { 1 };
                if drop_last { mirrored.max(self.hop) } else { mirrored }
            }
            Edges::Hops => (self.hop - self.hop / 2).max(1),
        }
    }

    pub fn rows(&self, samples: usize) -> usize {
        if samples < self.min_samples() {
            return 0;
        }
        match self.edges {
            Edges::Inside { span } => 1 + (samples - span) / self.hop,
            Edges::Last { span } => 1 + samples.saturating_sub(span).div_ceil(self.hop),
            Edges::Center { short, drop_last, .. } => (samples - short) / self.hop + usize::from(!drop_last),
            Edges::Hops => (samples + self.hop / 2) / self.hop,
        }
    }

    /// How many rows at the beginning and at the end of `samples` samples are computed from padding.
    pub fn edge_rows(&self, samples: usize) -> (usize, usize) {
        let rows = self.rows(samples);
        let before = self.first.min(0).unsigned_abs().div_ceil(self.hop).min(rows);
        // The last row without padding begins at samples - length or before.
        let room = samples as isize - self.length as isize - self.first;
        let inside = if room < 0 { 0 } else { room as usize / self.hop + 1 };
        (before, rows - inside.min(rows))
    }

    /// Samples that [`Framing::frames`] needs room for.
    pub fn room(&self, lanes: usize) -> usize {
        (lanes - 1) * self.stride() + self.length
    }

    /// From one frame to the next where frames are copied.
    fn stride(&self) -> usize {
        self.hop.min(self.length)
    }

    /// The frames of `lanes` rows from `row` on, of which the first `rows` (at least one) are wanted and the others
    /// may hold anything: a part of `samples` where all lie inside, else of `scratch`. Also gives the distance from
    /// one frame to the next.
    pub fn frames<'a>(
        &self,
        samples: &'a [f32],
        row: usize,
        rows: usize,
        lanes: usize,
        scratch: &'a mut [f32],
    ) -> (&'a [f32], usize) {
        let start = self.first + (row * self.hop) as isize;
        let span = (lanes - 1) * self.hop + self.length;
        if let Some(frames) = usize::try_from(start).ok().and_then(|s| samples.get(s..s + span)) {
            return (frames, self.hop);
        }
        let stride = self.stride();
        let rows = rows.min(lanes);
        if self.hop <= self.length {
            self.copy(samples, start, &mut scratch[..(rows - 1) * stride + self.length]);
        } else {
            for r in 0..rows {
                self.copy(
                    samples,
                    start + (r * self.hop) as isize,
                    &mut scratch[r * stride..][..self.length],
                );
            }
        }
        (&scratch[..self.room(lanes)], stride)
    }

    /// Samples from `start` on, padding included.
    fn copy(&self, samples: &[f32], start: isize, frame: &mut [f32]) {
        let index = |at: isize| at.clamp(0, frame.len() as isize) as usize;
        let (from, to) = (index(-start), index(samples.len() as isize - start));
        if from < to {
            let first = (start + from as isize) as usize;
            frame[from..to].copy_from_slice(&samples[first..first + to - from]);
        }
        for i in (0..from).chain(to.max(from)..frame.len()) {
            frame[i] = self.beyond(samples, start + i as isize);
        }
    }

    fn beyond(&self, samples: &[f32], at: isize) -> f32 {
        let n = samples.len() as isize;
        let at = match &self.edges {
            Edges::Center { pad: EdgePad::Reflect, .. } if at < 0 => -at,
            Edges::Center { pad: EdgePad::Reflect, .. } if at >= n => 2 * (n - 1) - at,
            // A very short signal is mirrored again and again: the period is twice its length.
            Edges::Hops => {
                let at = at.rem_euclid(2 * n);
                at.min(2 * n - 1 - at)
            }
            _ => at,
        };
        usize::try_from(at).ok().and_then(|at| samples.get(at)).copied().unwrap_or(0.0)
    }
}
