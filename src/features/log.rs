//! The logarithm, and what is done to its values once the whole window is known.

use super::spec::{LogKind, Reference, ReferenceName, Spec};

/// `gain · ln(max(x + offset, floor)) + shift`.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogScale {
    pub offset: f32,
    pub floor: f32,
    pub gain: f32,
    pub shift: f32,
}

/// The steps that need the largest value of the whole window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WindowScale {
    range: Option<f32>,
    largest_is_zero: bool,
}

impl LogScale {
    /// `None` if `spec`, which is a resolved one, takes no logarithm.
    pub fn new(spec: &Spec) -> Option<Self> {
        let log = spec.log.as_ref()?;
        let per_decade = match log.kind? {
            LogKind::None => return None,
            LogKind::Ln => std::f64::consts::LN_10,
            LogKind::Log10 => 1.0,
            LogKind::Db if spec.power == Some(1.0) => 20.0,
            LogKind::Db => 10.0,
        };
        let reference = match log.reference {
            Some(Reference::Value(v)) => v,
            _ => 1.0,
        };
        Some(Self {
            offset: log.offset.unwrap_or(0.0) as f32,
            floor: log.floor.unwrap_or(0.0) as f32,
            gain: (per_decade / std::f64::consts::LN_10) as f32,
            shift: (-per_decade * reference.log10()) as f32,
        })
    }
}

impl WindowScale {
    pub fn new(spec: &Spec) -> Self {
        let log = spec.log.as_ref();
        Self {
            range: log.and_then(|l| l.range).map(|r| r as f32),
            largest_is_zero: log.and_then(|l| l.reference) == Some(Reference::Named(ReferenceName::Max)),
        }
    }

    pub fn is_none(&self) -> bool {
        self.range.is_none() && !self.largest_is_zero
    }

    /// What to raise values to and then to take off them, in a window whose largest value is `largest`.
    pub fn levels(&self, largest: f32) -> (f32, f32) {
        let floor = self.range.map_or(f32::NEG_INFINITY, |range| largest - range);
        (floor, if self.largest_is_zero { largest } else { 0.0 })
    }
}
