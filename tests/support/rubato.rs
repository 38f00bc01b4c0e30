//! rubato 5.1, FFT-based: an outside judge of our resampler, and a peer in the benches.

use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Frames of a block: rubato's filter grows with it, and so does the width of its pass band.
const BLOCK: usize = 4096;

/// Converts a whole mono clip, the delay taken out to whole samples, as rubato does it.
pub fn rubato(from: u32, to: u32) -> impl FnMut(&[f32], &mut Vec<f32>) {
    let mut resampler =
        Fft::<f32>::new(from as usize, to as usize, BLOCK, 1, FixedSync::Both).expect("valid rates");
    move |input, out| {
        resampler.reset();
        let source = SequentialSlice::new(input, 1, input.len()).expect("one channel");
        let room = resampler.process_all_needed_output_len(input.len());
        out.resize(room, 0.0);
        let mut sink = SequentialSlice::new_mut(out, 1, room).expect("one channel");
        let (_, length) =
            resampler.process_all_into_buffer(&source, &mut sink, input.len(), None).expect("room for all");
        out.truncate(length);
    }
}
