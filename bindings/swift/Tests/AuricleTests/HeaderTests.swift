import CAuricle
import XCTest

@testable import Auricle

/// The package knows include/auricle.h as it is: what is added there fails here until it is added to the package.
final class HeaderTests: XCTestCase {
    private static let code: String = {
        let path = ProcessInfo.processInfo.environment["AURICLE_TEST_HEADER"] ?? "include/auricle.h"
        let text = try! String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        return text.replacing(#/\/\*.*?\*\//#.dotMatchesNewlines(), with: "")
    }()

    func testEveryNumberOfTheHeaderHasAName() {
        var known: [String: Int32] = [
            "ABI_VERSION": Int32(Runtime.compiledABIVersion), "U8": SampleFormat.u8.number, "I16": SampleFormat.i16.number,
            "I24": SampleFormat.i24.number, "I32": SampleFormat.i32.number, "F32": SampleFormat.f32.number,
            "F64": SampleFormat.f64.number, "REQUIRED": Provider.Need.required.number,
            "PREFERRED": Provider.Need.preferred.number, "DROP_NEWEST": Session.Overflow.dropNewest.number,
            "DROP_OLDEST": Session.Overflow.dropOldest.number,
            // Output.Kind: its numbers are tested where a model has such outputs.
            "SCORES": AURICLE_SCORES, "EMBEDDING": AURICLE_EMBEDDING, "VALUES": AURICLE_VALUES,
        ]
        let statuses: [(String, AuricleError.Status)] = [
            ("OK", .ok), ("AGAIN", .again), ("END", .end), ("DROPPED", .dropped), ("CANCELLED", .cancelled),
            ("INVALID_ARGUMENT", .invalidArgument), ("INVALID_STATE", .invalidState), ("BUFFER_TOO_SMALL", .bufferTooSmall),
            ("CLIP_TOO_SHORT", .clipTooShort), ("MEMORY", .memory), ("FILE", .file), ("MODEL", .model), ("MANIFEST", .manifest),
            ("MISMATCH", .mismatch), ("RUNTIME", .runtime), ("INFERENCE", .inference), ("PROVIDER", .provider),
            ("INTERNAL", .internal),
        ]
        for (name, status) in statuses { known[name] = status.rawValue }
        for level in Log.Level.allCases { known["LOG_\(level)".uppercased()] = level.rawValue }
        var defined: [String: Int32] = [:]
        for match in Self.code.matches(of: #/#define AURICLE_(\w+) (-?\d+)\n/#) where !match.1.hasPrefix("VERSION_") {
            defined[String(match.1)] = Int32(match.2)
        }
        XCTAssertEqual(known, defined)
        XCTAssertEqual(Runtime.abiVersion, Runtime.compiledABIVersion)
    }

    func testEveryFunctionIsUsed() throws {
        let sources = root.appendingPathComponent("bindings/swift/Sources/Auricle")
        let files = try FileManager.default.contentsOfDirectory(at: sources, includingPropertiesForKeys: nil)
        let text = try files.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
        let used = Set(text.matches(of: #/\bauricle_\w+/#).map { String($0.output) })
        let declared = Set(Self.code.matches(of: #/AURICLE_API\s[^;]*?\b(auricle_\w+)\(/#).map { String($0.1) })
        XCTAssertGreaterThan(declared.count, 30)
        // Pushes of one format are pushes of bytes; labels of the first output are in Output; opening always has options.
        let others: Set = [
            "auricle_session_push_f32", "auricle_session_push_i16", "auricle_session_push_planar_f32", "auricle_classify_f32",
            "auricle_model_label", "auricle_model_class_count", "auricle_runtime_open",
        ]
        XCTAssertEqual(declared.subtracting(used), others)
    }

    /// A struct's members by the rules of C for the types that the header uses, and how Swift sees them.
    func testStructsLieInMemoryAsInC() {
        let swift: [String: (size: Int, members: [String: Int?])] = [
            "auricle_provider": layout([
                "struct_size": \auricle_provider.struct_size, "need": \.need, "name": \.name, "options_json": \.options_json,
            ]),
            "auricle_model_options": layout([
                "struct_size": \auricle_model_options.struct_size, "threads": \.threads, "self_check": \.self_check,
                "max_batch": \.max_batch, "cancel": \.cancel, "providers": \.providers, "provider_count": \.provider_count,
                "progress": \.progress, "user": \.user, "shared_pool": \.shared_pool, "reserved": \.reserved,
            ]),
            "auricle_runtime_options": layout([
                "struct_size": \auricle_runtime_options.struct_size, "shared_threads": \.shared_threads,
                "known_only": \.known_only, "reserved": \.reserved, "thread_start": \.thread_start, "user": \.user,
            ]),
            "auricle_clip_options": layout([
                "struct_size": \auricle_clip_options.struct_size, "channel": \.channel, "hop_seconds": \.hop_seconds,
                "cancel": \.cancel, "output": \.output, "reserved": \.reserved,
            ]),
            "auricle_session_options": layout([
                "struct_size": \auricle_session_options.struct_size, "sample_rate": \.sample_rate, "channels": \.channels,
                "max_windows_per_read": \.max_windows_per_read, "hop_seconds": \.hop_seconds, "ring_seconds": \.ring_seconds,
                "overflow": \.overflow, "channel": \.channel, "stream_json": \.stream_json,
            ]),
            "auricle_result": layout([
                "struct_size": \auricle_result.struct_size, "silent": \.silent, "first_frame": \.first_frame,
                "end_frame": \.end_frame, "sequence": \.sequence, "peak_dbfs": \.peak_dbfs, "rms_dbfs": \.rms_dbfs,
                "dc_offset": \.dc_offset, "late": \.late, "clipped_frames": \.clipped_frames,
                "non_finite_frames": \.non_finite_frames, "dropped_frames": \.dropped_frames, "gap_frames": \.gap_frames,
                "inference_nanoseconds": \.inference_nanoseconds, "noise_floor_dbfs": \.noise_floor_dbfs, "snr_db": \.snr_db,
            ]),
            "auricle_event": layout([
                "struct_size": \auricle_event.struct_size, "is_final": \.is_final, "id": \.id, "class_index": \.class_index,
                "onset_frame": \.onset_frame, "offset_frame": \.offset_frame, "decided_frame": \.decided_frame,
                "peak_score": \.peak_score, "mean_score": \.mean_score, "lost_before": \.lost_before,
            ]),
            "auricle_output": layout([
                "struct_size": \auricle_output.struct_size, "kind": \.kind, "size": \.size, "hop_seconds": \.hop_seconds,
            ]),
        ]
        let structs = Self.code.matches(of: #/typedef struct \{(.*?)\} (auricle_\w+);/#.dotMatchesNewlines())
        XCTAssertEqual(Set(structs.map { String($0.2) }), Set(swift.keys))
        for found in structs {
            var (end, offsets): (Int, [String: Int?]) = (0, [:])
            for member in found.1.matches(of: #/([\w ]+[ *])(\w+);/#) {
                let isFour = member.1.contains(#/\b(u?int32_t|float) /#)
                let size = isFour ? 4 : 8
                end = (end + size - 1) / size * size
                offsets[String(member.2)] = end
                end += size
            }
            let name = String(found.2)
            XCTAssertEqual(swift[name]?.members, offsets, name)
            XCTAssertEqual(swift[name]?.size, (end + 7) / 8 * 8, name)
        }
    }

    private func layout<C>(_ members: [String: PartialKeyPath<C>]) -> (size: Int, members: [String: Int?]) {
        (MemoryLayout<C>.size, members.mapValues { MemoryLayout<C>.offset(of: $0) })
    }

    func testEveryOptionAndEveryMemberIsThere() {
        let pairs: [(Any, String, more: Set<String>, fewer: Set<String>)] = [
            (Session.Result(auricle_result()), "auricle_result", ["scores"], []),
            (Event(auricle_event()), "auricle_event", [], []),
            (Session.Options(), "auricle_session_options", [], []),
            (Model.ClipOptions(), "auricle_clip_options", [], ["cancel", "reserved"]),
            (Model.Options(), "auricle_model_options", [], ["cancel", "providercount", "progress", "user", "reserved"]),
            (Provider("cpu"), "auricle_provider", [], []),
        ]
        for (value, name, more, fewer) in pairs {
            let structs = Self.code.matches(of: #/typedef struct \{([^}]*)\} (\w+);/#)
            let body = structs.first { $0.2 == name }!.1
            var inC = Set(body.matches(of: #/(\w+);/#).map { String($0.1).replacing("_", with: "") })
            inC.remove("structsize")
            let here = Set(Mirror(reflecting: value).children.map { $0.label!.lowercased() })
            XCTAssertEqual(here, inC.subtracting(fewer).union(more), name)
        }
    }
}
