//! The curves of a run while it goes on: `steps.csv`, and the same as TensorBoard reads it (TFRecord files of `Event`
//! messages; only the members written here are described).

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use prost::Message;

use crate::plan::Point;

/// `tensorflow.Event`
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

/// `tensorflow.Summary`
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `tensorflow.Summary.Value`
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

/// A log that is written.
pub struct Log {
    events: BufWriter<File>,
    steps: BufWriter<File>,
}

impl Log {
    /// In a folder, which is made if it is not there. What other runs left there stays: TensorBoard shows it beside.
    pub fn create(folder: &Path) -> Result<Self> {
        let place = || format!("--log {}", folder.display());
        fs::create_dir_all(folder).with_context(place)?;
        let open = |name: String| File::create(folder.join(name)).map(BufWriter::new).with_context(place);
        let started = now();
        let mut log = Self {
            events: open(format!("events.out.tfevents.{}.auricle.{}", started as u64, std::process::id()))?,
            steps: open("steps.csv".into())?,
        };
        writeln!(log.steps, "step,loss,held_out_loss,held_out_accuracy")?;
        log.event(Event {
            wall_time: started,
            file_version: Some("brain.Event:2".into()),
            ..Event::default()
        })?;
        Ok(log)
    }

    /// Takes up one step; what is on disk is whole after each look at the clips that are held out, and at the end.
    pub fn add(&mut self, point: &Point) -> Result<()> {
        let mut values = vec![("loss/training", point.loss)];
        match point.held_out {
            Some(held) => {
                writeln!(self.steps, "{},{},{},{}", point.step, point.loss, held.loss, held.accuracy)?;
                values.push(("loss/held_out", held.loss as f32));
                values.push(("accuracy/held_out", held.accuracy as f32));
            }
            None => writeln!(self.steps, "{},{},,", point.step, point.loss)?,
        }
        let value = |(tag, simple_value): (&str, f32)| Value { tag: tag.into(), simple_value };
        let summary = Some(Summary { value: values.into_iter().map(value).collect() });
        self.event(Event { wall_time: now(), step: point.step as i64, summary, ..Event::default() })?;
        if point.held_out.is_some() {
            self.events.flush()?;
            self.steps.flush()?;
        }
        Ok(())
    }

    /// A TFRecord: length, its check sum, the message, its check sum.
    fn event(&mut self, event: Event) -> Result<()> {
        let message = event.encode_to_vec();
        let length = (message.len() as u64).to_le_bytes();
        for part in [&length[..], &masked(&length), &message, &masked(&message)] {
            self.events.write_all(part)?;
        }
        Ok(())
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// The check sum of a TFRecord.
fn masked(bytes: &[u8]) -> [u8; 4] {
    (crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)).to_le_bytes()
}

/// CRC-32C (Castagnoli), bit by bit: a log has few bytes.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Judge;

    #[test]
    fn the_check_sum_is_castagnolis() {
        // RFC 3720, B.4.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn every_step_is_in_both_files() {
        let folder = std::env::temp_dir().join(format!("auricle-log-{}", std::process::id()));
        let mut log = Log::create(&folder).expect("a folder");
        let held_out = Some(Judge { loss: 0.5, accuracy: 0.75 });
        log.add(&Point { step: 1, loss: 2.0, held_out: None }).expect("written");
        log.add(&Point { step: 2, loss: 1.0, held_out }).expect("written");
        drop(log);
        let csv = fs::read_to_string(folder.join("steps.csv")).expect("steps");
        assert_eq!(csv, "step,loss,held_out_loss,held_out_accuracy\n1,2,,\n2,1,0.5,0.75\n");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").path();
        let events = fs::read_dir(&folder).expect("a folder").map(name).find(|p| !p.ends_with("steps.csv"));
        let mut bytes = &fs::read(events.expect("events")).expect("events")[..];
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
            assert_eq!(bytes[8..12], masked(&bytes[..8]));
            let message = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], masked(message));
            found.push(Event::decode(message).expect("an event"));
            bytes = &bytes[16 + length..];
        }
        assert_eq!(found[0].file_version.as_deref(), Some("brain.Event:2"));
        let last = found[2].summary.as_ref().expect("values");
        let tags: Vec<(&str, f32)> = last.value.iter().map(|v| (v.tag.as_str(), v.simple_value)).collect();
        let expected = [("loss/training", 1.0), ("loss/held_out", 0.5), ("accuracy/held_out", 0.75)];
        assert!(found.len() == 3 && found[2].step == 2 && tags == expected, "{found:?}");
        fs::remove_dir_all(folder).expect("removed");
    }
}
