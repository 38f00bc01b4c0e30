//! Where decoded audio belongs: compares what a file says of its length and of its packets' times with what
//! has been decoded, takes out delay and padding, and puts silence where audio is lost.

use std::collections::VecDeque;
use std::mem;

use crate::codec::{Codec, Coding, Spec};
use crate::formats::{Packet, Track};
use crate::losses::{Loss, Losses};

/// One gap is bridged with at most so much silence, seconds; a longer one is a false time rather than lost
/// audio.
const MAX_GAP: u64 = 600;
/// All gaps together are bridged with at most so much silence and as much as there is audio, seconds.
const MAX_SILENCE: u64 = 3600;

#[derive(Clone, Copy, PartialEq)]
enum Waiting {
    Silence,
    Samples,
}

/// What has been decoded and waits to be handed out, in the order of time.
#[derive(Default)]
pub(crate) struct Timeline {
    /// Of the first audio that was decoded; all that follows is given in it.
    spec: Option<Spec>,
    /// What the first track says of its rate, until the first audio is decoded.
    first_rate: u32,
    part: Option<Part>,
    /// What is given next, and how many frames of it; the samples are in `samples[next..]`.
    waiting: VecDeque<(Waiting, u64)>,
    samples: Vec<f32>,
    next: usize,
    /// Frames given and waiting.
    frames: u64,
    decoded: Vec<f32>,
    pub losses: Losses,
    declared: Option<u64>,
    /// Why the first packet that failed did so, or the first track.
    failure: Option<String>,
    pub ended: bool,
}

/// One track: a file, or one of those that it is joined of.
struct Part {
    track: Track,
    codec: Result<Codec, String>,
    /// Of what its decoder gives; the track's word until then.
    rate: u32,
    /// Frames from the track's beginning, delay included.
    raw: u64,
    /// What is added to the times of packets, after they have jumped.
    shift: i128,
    /// A packet whose time jumps, until the next one has come.
    held: Option<Packet>,
    /// A stretch was damaged, and how long it was is not known yet.
    damage: Option<String>,
    /// Length of the last good packet, frames.
    usual: u64,
    /// Frames at another rate than the first, and the silence in their place.
    foreign: (u64, u64),
}

impl Part {
    /// A time of the track in frames.
    fn frames(&self, time: u64) -> u64 {
        rescale(time, self.track.timescale, self.rate)
    }

    /// How much later a packet says it begins than the last one ended, frames; 0 within the slack of its
    /// times.
    fn ahead(&self, packet: &Packet) -> Option<i128> {
        let at = i128::from(self.frames(packet.at?)) + self.shift;
        let ahead = at - i128::from(self.raw);
        Some(if ahead.unsigned_abs() > self.frames(self.track.slack).into() { ahead } else { 0 })
    }

    /// Whether the times of two packets follow each other.
    fn follows(&self, first: &Packet, second: &Packet) -> bool {
        let (Some(from), Some(to)) = (first.at, second.at) else { return true };
        let length = if first.length > 0 || first.fresh { self.frames(first.length) } else { self.usual };
        (self.frames(from) + length).abs_diff(self.frames(to)) <= self.frames(self.track.slack)
    }

    /// The first frame that is sound, and the one behind the last if what follows is padding.
    fn bounds(&self) -> (u64, u64) {
        let begin = self.frames(self.track.delay);
        let end = self.track.declared.filter(|_| self.track.padded);
        (begin, end.map_or(u64::MAX, |length| self.frames(self.track.delay.saturating_add(length))))
    }
}

impl Timeline {
    pub fn spec(&self) -> Option<Spec> {
        self.spec
    }

    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Why a file that ended gave no audio.
    pub fn why_nothing(&self) -> String {
        match &self.failure {
            Some(reason) => reason.clone(),
            None => "its audio track holds no frames".into(),
        }
    }

    /// Replaces `block` by what waits, at most `frames`; false if nothing does.
    pub fn take(&mut self, frames: usize, block: &mut Vec<f32>) -> bool {
        block.clear();
        let Some(spec) = self.spec else { return false };
        let Some((kind, waiting)) = self.waiting.front_mut() else { return false };
        let count = (*waiting).min(frames as u64);
        *waiting -= count;
        let values = count as usize * spec.channels as usize;
        match kind {
            Waiting::Silence => block.resize(values, 0.0),
            Waiting::Samples => {
                let end = self.next + values;
                block.extend_from_slice(&self.samples[self.next..end]);
                self.next = end;
            }
        }
        if *waiting == 0 {
            self.waiting.pop_front();
        }
        if self.next == self.samples.len() {
            self.samples.clear();
            self.next = 0;
        }
        true
    }

    /// Lets frames wait behind those that do.
    fn wait(&mut self, kind: Waiting, frames: u64) {
        self.frames += frames;
        match self.waiting.back_mut() {
            Some((last, count)) if *last == kind => *count += frames,
            _ if frames == 0 => {}
            _ => self.waiting.push_back((kind, frames)),
        }
    }

    /// A track begins, where the one before ends.
    pub fn begin(&mut self, track: Track) {
        self.finish_part();
        let codec = Codec::new(&track);
        if let Err(reason) = &codec {
            self.failure.get_or_insert_with(|| reason.clone());
        }
        let rate = if track.sample_rate > 0 { track.sample_rate } else { track.timescale };
        let (held, damage) = (None, None);
        let part = Part { track, codec, rate, raw: 0, shift: 0, held, damage, usual: 0, foreign: (0, 0) };
        if self.spec.is_none() {
            self.first_rate = rate;
            self.declared = part.track.declared.map(|time| part.frames(time));
        }
        self.part = Some(part);
    }

    pub fn packet(&mut self, packet: Packet) {
        let Some(part) = &mut self.part else { return };
        // One false time is no gap: the packet after it must agree.
        if let Some(held) = part.held.take() {
            let agrees = part.follows(&held, &packet);
            self.place(&held, agrees);
        }
        let Some(part) = &mut self.part else { return };
        if part.damage.is_none() && part.raw > 0 && part.ahead(&packet).is_some_and(|ahead| ahead != 0) {
            part.held = Some(packet);
        } else {
            self.place(&packet, true);
        }
    }

    /// Decodes a packet where its time says, if that is to be believed, otherwise where the last one ended.
    fn place(&mut self, packet: &Packet, believed: bool) {
        let Some(mut part) = self.part.take() else { return };
        if believed {
            self.catch_up(&mut part, packet);
        }
        let length = part.frames(packet.length.saturating_sub(packet.discard));
        let discard = part.frames(packet.discard);
        let mut decoded = mem::take(&mut self.decoded);
        let result = match &mut part.codec {
            Ok(codec) => {
                if packet.fresh {
                    codec.reset();
                }
                codec.decode(&packet.data, packet.length, &mut decoded)
            }
            Err(reason) => Err(reason.clone()),
        };
        match result {
            Ok(spec) => self.emit(&mut part, spec, &decoded, discard),
            Err(reason) => {
                let reason = match &part.codec {
                    Ok(_) => format!("a packet is damaged ({reason})"),
                    Err(reason) => format!("what follows {reason}"),
                };
                let failure = format!("no packet of its audio could be decoded: {reason}");
                self.failure.get_or_insert(failure);
                if packet.length == 0 && part.usual == 0 {
                    self.losses.skip_packet();
                    self.lose(&part, None, false, &reason);
                } else {
                    let length = if packet.length > 0 { length } else { part.usual };
                    // Nothing is lost with a packet that is all padding.
                    if self.bridge(&mut part, length, &reason) {
                        self.losses.skip_packet();
                    }
                }
            }
        }
        self.decoded = decoded;
        self.part = Some(part);
    }

    /// Compares the time of a packet with where we are.
    fn catch_up(&mut self, part: &mut Part, packet: &Packet) {
        let damage = part.damage.take();
        let Some(at) = packet.at else {
            if let Some(reason) = damage {
                self.lose(part, None, false, &reason);
            }
            return;
        };
        // A track begins with its first packet, whatever time that has, unless something before it is known
        // to be lost.
        if part.raw == 0 && damage.is_none() {
            part.shift = -i128::from(part.frames(at));
        }
        let ahead = part.ahead(packet).unwrap_or(0);
        if ahead < 0 {
            // Times that go back, as where two recordings were joined: what follows is in order.
            part.shift -= ahead;
        } else if ahead > 0 {
            let reason = damage.as_deref().unwrap_or("the times of its packets jump");
            if let Ok(codec) = &mut part.codec
                && !matches!(part.track.coding, Coding::Vorbis { .. })
            {
                // Vorbis would give nothing for this packet then; its formats say themselves where it begins
                // anew.
                codec.reset();
            }
            self.bridge(part, ahead as u64, reason);
        }
    }

    /// A stretch that could not be read.
    pub fn damage(&mut self, length: Option<u64>, reason: String) {
        self.release();
        let Some(mut part) = self.part.take() else {
            self.failure.get_or_insert(reason);
            return;
        };
        if let Ok(codec) = &mut part.codec {
            codec.reset();
        }
        match length.map(|length| part.frames(length)) {
            Some(length) => {
                self.bridge(&mut part, length, &reason);
            }
            None => part.damage = Some(reason),
        }
        self.part = Some(part);
    }

    /// The file ends.
    pub fn end(&mut self, bytes_left: u64) {
        let places = self.losses.sums().places;
        self.finish_part();
        if bytes_left > 0 {
            self.losses.leave_bytes(bytes_left);
            // What is missing at the end has been said once.
            if self.losses.sums().places == places {
                let plural = if bytes_left == 1 { "byte" } else { "bytes" };
                let reason =
                    format!("{bytes_left} {plural} at the end of the file could not be read as sound");
                self.losses.add(self.loss(None, false, &reason));
            }
        }
        self.ended = true;
    }

    /// Decodes the packet that is held, where the last one ended: nothing has come that agrees with its time.
    fn release(&mut self) {
        if let Some(held) = self.part.as_mut().and_then(|part| part.held.take()) {
            self.place(&held, false);
        }
    }

    /// Compares what a track declared with what it gave.
    fn finish_part(&mut self) {
        self.release();
        let Some(mut part) = self.part.take() else { return };
        let damage = part.damage.take();
        let declared = part.track.declared.map(|length| part.frames(part.track.delay.saturating_add(length)));
        // Less than a packet is a rounded length, not a lost one.
        let packet = match part.track.coding {
            Coding::Aac { .. } | Coding::Mpeg { .. } if damage.is_none() => part.usual.saturating_sub(1),
            _ => 0,
        };
        let slack = packet.max(2 * part.frames(part.track.slack));
        match declared {
            Some(end) if end > part.raw + slack => {
                let missing = end - part.raw.max(part.bounds().0);
                let reason = damage.unwrap_or_else(|| "the file declares more than it holds".into());
                self.lose(&part, Some(missing), false, &reason);
            }
            Some(_) => {}
            None => {
                if let Some(reason) = damage {
                    self.lose(&part, None, false, &reason);
                }
            }
        }
    }

    /// Takes delay and padding out of decoded samples, and lets the rest wait in the channels and at the rate
    /// of the first.
    fn emit(&mut self, part: &mut Part, spec: Spec, decoded: &[f32], discard: u64) {
        let channels = spec.channels as usize;
        let count = decoded.len() / channels;
        if count == 0 {
            return;
        }
        if part.rate != spec.rate {
            part.raw = rescale(part.raw, part.rate, spec.rate);
            part.rate = spec.rate;
        }
        let first = *self.spec.get_or_insert(spec);
        let count = (count as u64).saturating_sub(discard);
        part.usual = count;
        let (begin, end) = part.bounds();
        let from = begin.saturating_sub(part.raw).min(count);
        let to = end.saturating_sub(part.raw).min(count).max(from);
        part.raw += count;
        let kept = &decoded[from as usize * channels..to as usize * channels];
        if spec.rate != first.rate {
            let (foreign, silent) = &mut part.foreign;
            *foreign += to - from;
            let due = rescale(*foreign, spec.rate, first.rate);
            let silence = due - *silent;
            *silent = due;
            let reason =
                format!("the rate changes from {} to {} Hz, which is not converted", first.rate, spec.rate);
            self.insert(silence, &reason);
            return;
        }
        mix(kept, channels, first.channels as usize, &mut self.samples);
        self.wait(Waiting::Samples, to - from);
    }

    /// Silence of the length of what is lost, as far as it is sound and not padding; false if nothing is.
    fn bridge(&mut self, part: &mut Part, length: u64, reason: &str) -> bool {
        let (begin, end) = part.bounds();
        let after = part.raw.saturating_add(length).min(1 << 62);
        let lost = after.min(end).saturating_sub(part.raw.max(begin));
        part.raw = after;
        let rate = self.spec.map_or(part.rate, |spec| spec.rate);
        let lost = rescale(lost, part.rate, rate);
        self.insert(lost, reason);
        lost > 0
    }

    fn insert(&mut self, silence: u64, reason: &str) {
        if silence == 0 {
            return;
        }
        let rate = self.rate();
        let limit = MAX_SILENCE * rate + (self.frames - self.losses.sums().bridged_frames);
        let believed = silence <= MAX_GAP * rate && self.losses.sums().bridged_frames + silence <= limit;
        self.losses.add(self.loss(Some(silence), believed, reason));
        if believed {
            self.wait(Waiting::Silence, silence);
        }
    }

    fn lose(&mut self, part: &Part, length: Option<u64>, bridged: bool, reason: &str) {
        let rate = self.spec.map_or(part.rate, |spec| spec.rate);
        let length = length.map(|frames| rescale(frames, part.rate, rate));
        self.losses.add(self.loss(length, bridged, reason));
    }

    fn loss(&self, frames: Option<u64>, bridged: bool, reason: &str) -> Loss {
        Loss {
            at_frame: self.frames,
            frames,
            bridged,
            reason: reason.into(),
            sample_rate: self.rate() as u32,
        }
    }

    /// Of what is given, as far as is known.
    fn rate(&self) -> u64 {
        self.spec.map_or(self.first_rate, |spec| spec.rate).max(1).into()
    }
}

/// A length in units of `from` a second, in units of `to`; kept small enough to be added to.
fn rescale(length: u64, from: u32, to: u32) -> u64 {
    (u128::from(length) * u128::from(to) / u128::from(from.max(1))).min(1 << 62) as u64
}

/// Appends frames of `from` channels as frames of `to`: one channel to all, several as their mean.
fn mix(samples: &[f32], from: usize, to: usize, out: &mut Vec<f32>) {
    if from == to {
        out.extend_from_slice(samples);
        return;
    }
    for frame in samples.chunks_exact(from) {
        let mean = frame.iter().sum::<f32>() / from as f32;
        out.extend(std::iter::repeat_n(mean, to));
    }
}
