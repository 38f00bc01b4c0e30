//! What of a recording did not come out of it as sound.

use std::fmt;

/// So many losses are kept one by one; [`Lost`] counts all of them.
pub(crate) const MAX_LOSSES: usize = 64;

/// One place where audio of the file is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Where in the decoded audio, frames from its beginning.
    pub at_frame: u64,
    /// How many frames are missing; `None` if the file does not say.
    pub frames: Option<u64>,
    /// Silence of the same length stands in the place of the audio, so that everything behind it keeps its
    /// time.
    pub bridged: bool,
    /// Why, for people: "a packet is damaged (invalid main_data offset)".
    pub reason: String,
    /// To say places in seconds, Hz.
    pub(crate) sample_rate: u32,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |frames: u64| frames as f64 / f64::from(self.sample_rate.max(1));
        write!(f, "at {:.3} s (frame {}) ", seconds(self.at_frame), self.at_frame)?;
        match self.frames {
            Some(frames) => write!(f, "{:.3} s ({frames} frames) are missing", seconds(frames))?,
            None => f.write_str("audio of unknown length is missing")?,
        }
        if self.bridged {
            f.write_str(", silence stands in their place")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// The sums of all losses of a recording, however many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Places where audio is missing.
    pub places: u64,
    /// Frames of silence in the place of audio.
    pub bridged_frames: u64,
    /// Frames that are known to be missing, with nothing in their place: what follows comes too early.
    pub missing_frames: u64,
    /// Packets that could not be decoded.
    pub skipped_packets: u64,
    /// Bytes at the end of the file that were not read, although they may be sound.
    pub bytes_left: u64,
}

impl Lost {
    /// Whether the recording came out of its file whole.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Collects losses: the first [`MAX_LOSSES`] one by one, and the sums of all.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    list: Vec<Loss>,
    lost: Lost,
    /// Where the last loss ends, if it is bridged, and whether it is in the list.
    open_end: Option<u64>,
    listed: bool,
}

impl Losses {
    pub fn list(&self) -> &[Loss] {
        &self.list
    }

    pub fn sums(&self) -> Lost {
        self.lost
    }

    pub fn skip_packet(&mut self) {
        self.lost.skipped_packets += 1;
    }

    pub fn leave_bytes(&mut self, bytes: u64) {
        self.lost.bytes_left += bytes;
    }

    /// One that goes on where the last one ends is the same place.
    pub fn add(&mut self, loss: Loss) {
        let frames = loss.frames.unwrap_or(0);
        match loss.bridged {
            true => self.lost.bridged_frames = self.lost.bridged_frames.saturating_add(frames),
            false => self.lost.missing_frames = self.lost.missing_frames.saturating_add(frames),
        }
        let end = if loss.bridged { loss.at_frame + frames } else { loss.at_frame };
        let goes_on = loss.bridged && self.open_end == Some(loss.at_frame);
        self.open_end = loss.bridged.then_some(end);
        if goes_on {
            if self.listed
                && let Some(last) = self.list.last_mut()
            {
                last.frames = last.frames.map(|before| before + frames);
            }
            return;
        }
        self.lost.places += 1;
        self.listed = self.list.len() < MAX_LOSSES;
        if self.listed {
            self.list.push(loss);
        }
    }
}
