//! Features allocate nothing once they are planned: a counting allocator, one test, no other thread.

#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use auricle::features::{Features, Normalize, Spec};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system allocator's; counting changes nothing about the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn nothing_is_allocated_after_planning() {
    let samples: Vec<f32> = (0..20_000).map(|i| (i as f32 * 0.01).sin()).collect();
    for (features, normalize) in [
        (r#"{ "kind": "waveform" }"#, r#"{ "kind": "window", "over": "all" }"#),
        (
            r#"{ "kind": "spectrogram", "fft": 480, "frame_hop": 160 }"#,
            r#"{ "kind": "min_max", "over": "bin" }"#,
        ),
        (r#"{ "preset": "whisper" }"#, r#"{ "kind": "mean_std", "mean": -4, "std": 4 }"#),
        (r#"{ "preset": "librosa", "kind": "mfcc" }"#, r#"{ "kind": "window", "over": "bin" }"#),
        (r#"{ "preset": "kaldi" }"#, "{}"),
    ] {
        let spec: Spec = serde_json::from_str(features).unwrap();
        let normalize: Normalize = serde_json::from_str(normalize).unwrap();
        let mut planned = Features::new(&spec, 16_000, "input.features").unwrap();
        let rows = planned.rows(samples.len());
        let mut inner = vec![0.0; rows * planned.inner_bins()];
        let mut out = vec![0.0; rows * planned.bins()];
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        planned.compute(&samples, &mut out);
        planned.inner_rows(&samples, 0, &mut inner);
        planned.finish_window(&inner, &mut out);
        normalize.apply(&mut out, planned.bins());
        assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), before, "{features}");
    }
}
