use super::*;
use crate::inference::dtype;
use crate::inference::hostile;

const ALONE: Loading<'_> = Loading { threads: Some(1), providers: &[], cancel: None };

/// The second lock alone, as if `onnx_file` had overlooked something. Without it, eight of these give the file away.
#[test]
fn onnx_runtime_reads_no_file_of_the_working_folder_either() {
    let file = std::fs::read("Cargo.toml").expect("the working folder of a test is the package's");
    let secret: Vec<f32> = file[..16].iter().map(|&byte| f32::from(byte)).collect();
    let mut refused = 0;
    for (way, onnx) in hostile::readers("Cargo.toml", 16) {
        let mut scores = vec![0.0; 16];
        let run = Network::load_checked(&onnx, 0, ALONE).and_then(|network| {
            let names = Names::new([&network.inputs()[0].name[..]].into_iter(), ["y"].into_iter())?;
            let mut tensors =
                Tensors::new(&[(Dtype::F32, vec![1, 16_000])], Ok(&[(Dtype::F32, vec![1, 16])]), Vec::new())?;
            tensors.floats().fill(0.5);
            network.run(&names, &mut tensors, &mut State::new(&[])?, None)?;
            dtype::read(tensors.output(0), 0, &mut scores);
            Ok(())
        });
        refused += usize::from(run.is_err());
        assert_ne!(scores, secret, "{way}");
    }
    assert!(refused > 10, "most of them name a file that they need: {refused}");
    let text = b"\x24\0\0\0ORTM and so on";
    let error = Network::load_checked(text, 0, ALONE).expect_err("not taken for ONNX Runtime's own format");
    assert!(error.message().contains("protobuf"), "{error}");
}

/// What a lost device leaves: no run, on nothing, until the model is loaded anew.
#[test]
fn a_network_whose_provider_has_failed_runs_no_more() {
    let onnx = include_bytes!("../../../tests/data/probe.onnx");
    let network = Network::load(onnx, ALONE).expect("loads");
    let names =
        Names::new([&network.inputs()[0].name[..]].into_iter(), ["output"].into_iter()).expect("names");
    let shapes = ([(Dtype::F32, vec![1, 1600])], [(Dtype::F32, vec![1, 4])]);
    let mut tensors = Tensors::new(&shapes.0, Ok(&shapes.1), Vec::new()).expect("tensors");
    let mut run = || network.run(&names, &mut tensors, &mut State::new(&[])?, None);
    run().expect("runs");
    // The CPU is not lost, whatever fails on it.
    let error = Error::new(Status::Inference, "an odd shape");
    assert_eq!(network.give_up_after(error.clone()), error);
    run().expect("runs");
    network.lost.set("CUDA error 719".into()).expect("nothing was lost");
    let error = run().expect_err("lost");
    assert_eq!(error.status(), Status::Provider);
    assert!(error.message().contains("load it anew: CUDA error 719"), "{error}");
}
