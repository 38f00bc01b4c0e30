//! Samples that need no decoder: integers, floats, A-law and mu-law.

/// How one sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// 0..=255 around 128.
    Unsigned8,
    /// Signed integers of 1 to 4 bytes; fewer valid bits are the upper ones.
    Signed(u8),
    /// IEEE floats of 4 or 8 bytes.
    Float(u8),
    /// ITU-T G.711.
    ALaw,
    MuLaw,
}

/// Samples in a row, channels interleaved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pcm {
    pub sample: Sample,
    pub big_endian: bool,
}

impl Pcm {
    pub fn little(sample: Sample) -> Self {
        Self { sample, big_endian: false }
    }

    pub fn big(sample: Sample) -> Self {
        Self { sample, big_endian: true }
    }

    /// Bytes of one sample.
    pub fn bytes(self) -> usize {
        match self.sample {
            Sample::Unsigned8 | Sample::ALaw | Sample::MuLaw => 1,
            Sample::Signed(bytes) | Sample::Float(bytes) => bytes.into(),
        }
    }

    /// Appends the samples in `data`, full scale 1.0. Bytes of an incomplete sample are left out.
    pub fn decode(self, data: &[u8], out: &mut Vec<f32>) {
        let big = self.big_endian;
        match self.sample {
            Sample::Unsigned8 => out.extend(data.iter().map(|&b| (f32::from(b) - 128.0) / 128.0)),
            Sample::ALaw => out.extend(data.iter().map(|&b| f32::from(a_law(b)) / 32768.0)),
            Sample::MuLaw => out.extend(data.iter().map(|&b| f32::from(mu_law(b)) / 32768.0)),
            Sample::Signed(1) => out.extend(data.iter().map(|&b| f32::from(b as i8) / 128.0)),
            Sample::Signed(2) => {
                let value = |b: [u8; 2]| if big { i16::from_be_bytes(b) } else { i16::from_le_bytes(b) };
                each(data, out, |b| f32::from(value(b)) / 32768.0);
            }
            Sample::Signed(3) => each(data, out, |[a, b, c]: [u8; 3]| {
                let value = if big { [a, b, c, 0] } else { [c, b, a, 0] };
                (i32::from_be_bytes(value) >> 8) as f32 / 8_388_608.0
            }),
            Sample::Signed(_) => {
                let value = |b: [u8; 4]| if big { i32::from_be_bytes(b) } else { i32::from_le_bytes(b) };
                each(data, out, |b| value(b) as f32 / 2_147_483_648.0);
            }
            Sample::Float(4) => {
                each(data, out, |b| if big { f32::from_be_bytes(b) } else { f32::from_le_bytes(b) });
            }
            Sample::Float(_) => {
                each(data, out, |b| (if big { f64::from_be_bytes(b) } else { f64::from_le_bytes(b) }) as f32);
            }
        }
    }
}

fn each<const N: usize>(data: &[u8], out: &mut Vec<f32>, value: impl Fn([u8; N]) -> f32) {
    out.extend(data.chunks_exact(N).filter_map(|bytes| bytes.try_into().ok()).map(value));
}

/// G.711 A-law, even bits inverted, as a 16-bit sample.
fn a_law(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (exponent, mantissa) = ((code >> 4) & 7, i16::from(code & 15) << 4);
    let size = match exponent {
        0 => mantissa + 8,
        _ => (mantissa + 0x108) << (exponent - 1),
    };
    if code & 0x80 == 0 { -size } else { size }
}

/// G.711 mu-law, all bits inverted, as a 16-bit sample.
fn mu_law(code: u8) -> i16 {
    let code = !code;
    let size = (((i16::from(code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
    if code & 0x80 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(pcm: Pcm, data: &[u8]) -> Vec<f32> {
        let mut out = Vec::new();
        pcm.decode(data, &mut out);
        out
    }

    #[test]
    fn half_of_full_scale_in_every_form() {
        use Sample::*;
        let little: [(Sample, &[u8]); 6] = [
            (Unsigned8, &[192]),
            (Signed(1), &[64]),
            (Signed(2), &[0, 64]),
            (Signed(3), &[0, 0, 64]),
            (Signed(4), &[0, 0, 0, 64]),
            (Float(4), &[0, 0, 0, 63]),
        ];
        for (sample, bytes) in little {
            assert_eq!(decoded(Pcm::little(sample), bytes), [0.5]);
            let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
            assert_eq!(decoded(Pcm::big(sample), &reversed), [0.5]);
        }
        assert_eq!(decoded(Pcm::big(Float(8)), &(-0.25f64).to_be_bytes()), [-0.25]);
        assert_eq!(decoded(Pcm::little(Signed(3)), &[0, 0, 0x80, 9]), [-1.0]);
    }

    /// The ends and the middle of ITU-T G.711, tables 1 and 2 (13 and 14 bits, here shifted to 16).
    #[test]
    fn a_law_and_mu_law_are_the_ones_of_g_711() {
        let a = |code| i32::from(a_law(code));
        assert_eq!([a(0xd5), a(0x55), a(0xaa), a(0x2a)], [8, -8, 32256, -32256]);
        let mu = |code| i32::from(mu_law(code));
        assert_eq!([mu(0xff), mu(0x7f), mu(0x80), mu(0x00)], [0, 0, 32124, -32124]);
    }
}
