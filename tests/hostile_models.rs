//! Model files that would have ONNX Runtime read other files or change its settings, and files that are no ONNX: each is
//! refused before ONNX Runtime sees it. None of these tests opens ONNX Runtime, and that is part of them.

mod support;

use auricle::{Model, ModelOptions, Status};
use support::onnx::{self, bytes, entry, head, message, node, number};

/// A file that lies in the working folder of a test, which is the package's.
const LOCATION: &str = "Cargo.toml";

/// The message with which the bytes are refused. ONNX Runtime has not read the file either: it is not open.
fn refused(onnx: &[u8]) -> String {
    let loaded = Model::load_memory(onnx, None, &ModelOptions::default());
    let error = loaded.expect_err("must be refused");
    assert_eq!(error.status(), Status::Model, "{error}");
    assert_eq!(auricle::stages::inference::runtime::file(), None, "ONNX Runtime saw the file: {error}");
    error.message().to_owned()
}

/// A model that has nothing hostile in it, with `more` behind it.
fn harmless_and(more: &[u8]) -> Vec<u8> {
    let weights = [bytes(5, onnx::integers("w", &[2], &[1, 2])), onnx::gather("w", "y")];
    [&head(2)[..], &message(7, &onnx::reader(2, &weights)), more].concat()
}

#[test]
fn weights_in_another_file_are_found_wherever_a_file_can_name_them() {
    assert!(
        std::fs::exists(LOCATION).expect("the working folder can be read"),
        "there is nothing to be read"
    );
    let readers = onnx::readers(LOCATION, 16);
    assert!(readers.len() > 20);
    for (way, file) in readers {
        let message = refused(&file);
        assert!(
            message.contains("reads no other file") && message.contains("auricle-train stamp"),
            "{way}: {message}"
        );
        // A tensor in two parts has a part that names nothing; the first part is found first.
        assert!(message.contains("\"Cargo.toml\""), "{way}: {message}");
        assert!(message.contains("\"w\"") || message.contains("\"at\""), "{way}: {message}");
    }
}

#[test]
fn a_location_without_a_name_is_refused_too() {
    let tensor = [bytes(8, "w"), number(14, 1)].concat();
    let message = refused(&harmless_and(&message(7, &[bytes(5, tensor)])));
    assert!(message.contains("tensor \"w\"") && message.contains("does not name"), "{message}");
}

#[test]
fn names_are_shown_short_and_without_control_characters() {
    let name = format!("\u{1b}]0;owned\u{7}\u{202e}{}", "x".repeat(1 << 20));
    let message = refused(&harmless_and(&message(7, &[bytes(5, onnx::external(&name, &name, 4))])));
    assert!(message.len() < 1000 && !message.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{message:?}");
    assert!(message.contains("owned"), "{message}");
}

#[test]
fn a_model_cannot_bring_settings_of_onnx_runtime() {
    let settings = r#"{ "session_options": { "enable_profiling": 1, "intra_op_num_threads": 7 } }"#;
    let message = refused(&harmless_and(&entry(14, "ort_config", settings)));
    assert!(message.contains("ort_config") && message.contains("auricle-train stamp"), "{message}");
    // Protobuf lets the last of two keys win.
    let twice = [bytes(1, "innocent"), bytes(2, settings), bytes(1, "ort_config")];
    assert!(refused(&harmless_and(&bytes(14, twice.concat()))).contains("ort_config"));
}

#[test]
fn a_network_compiled_for_a_device_is_refused() {
    let attributes = [onnx::int("embed_mode", 0), onnx::attribute("ep_cache_context", 3, bytes(4, LOCATION))];
    let compiled = node("EPContext", &["x"], &["z"], &attributes);
    let message = refused(&harmless_and(&message(7, &[compiled])));
    assert!(message.contains("EPContext") && message.contains("node of z"), "{message}");
}

#[test]
fn what_is_no_onnx_is_named_for_what_it_is() {
    let lfs = "version https://example.org/git-lfs/v1\noid sha256:0123\nsize 14000000\n";
    let safetensors = [&30_u64.to_le_bytes()[..], b"{\"w\":{\"dtype\":\"F32\",\"shape\":[]}}"].concat();
    let saved_model = [number(1, 1), message(2, &[bytes(1, "serve")])].concat();
    for (file, named) in [
        (&b""[..], "empty"),
        (b"\x24\0\0\0ORTM and so on", ".ort"),
        (b"\x1c\0\0\0TFL3 and so on", "TensorFlow Lite"),
        (b"PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl", "ZIP"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "pickle"),
        (b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0", "HDF5"),
        (b"GGUF\x03\0\0\0\x2a\0\0\0", "GGUF"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "gzip"),
        (lfs.as_bytes(), "git lfs pull"),
        (&safetensors, "safetensors"),
        (b"{ \"auricle\": 1 }", "text"),
        (b"ir_version: 8\ngraph {\n", "text"),
        (&saved_model, "no graph"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "at byte 0"),
    ] {
        let message = refused(file);
        assert!(message.contains(named) && message.starts_with("the model "), "{named}: {message}");
    }
}

#[test]
fn damaged_protobuf_is_refused_with_its_place() {
    let file = harmless_and(&[]);
    let end = file.len();
    for (more, why) in [
        (&[0x0a][..], "a field without its length"),
        (&[0x0a, 5, 1], "a length beyond the end"),
        (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "a length of 2^64 - 1"),
        (&[0x08, 0x80], "a number without its end"),
        (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "a number of eleven bytes"),
        (&[0x03, 0x04], "a group"),
        (&[0x3b, 0x3c], "a group in the place of the graph"),
        (&[0x00, 0x00], "field 0"),
        (&[0xba, 0x80, 0x80, 0x80, 0x10, 0], "a field number beyond 32 bits"),
        (&[0x09, 1, 2], "eight bytes that are three"),
        (&[0x0d], "four bytes that are none"),
        (&[0x0e], "a kind that protobuf has not"),
    ] {
        let message = refused(&[&file[..], more].concat());
        assert!(message.contains(&format!("at byte {end}")), "{why}: {message}");
    }
}

/// On a stack as small as a thread of a host may have.
#[test]
fn deep_nesting_needs_no_stack() {
    let mut body = bytes(5, onnx::external("w", LOCATION, 4));
    for _ in 0..2000 {
        body = bytes(1, bytes(5, bytes(6, &body))); // graph in attribute in node
    }
    let file = harmless_and(&bytes(7, body));
    let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(move || refused(&file));
    let message = thread.expect("a thread").join().expect("enough stack");
    assert!(message.contains("more than 100"), "{message}");
}
