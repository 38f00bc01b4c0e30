import CAuricle
import Foundation

/// Why a call failed: a status of the library, and a sentence with the numbers that fix it.
public struct AuricleError: Error, Hashable, Sendable {
    public let status: Status
    /// One line, for a person to read.
    public let message: String

    /// What kind of outcome it is. Later versions of the library may have more: have a `default` in every `switch`.
    public struct Status: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Done.
        public static let ok = Status(rawValue: AURICLE_OK)
        /// Not enough audio for the next window yet.
        public static let again = Status(rawValue: AURICLE_AGAIN)
        /// The stream was finished and everything has been read.
        public static let end = Status(rawValue: AURICLE_END)
        /// The ring was full, and frames were lost.
        public static let dropped = Status(rawValue: AURICLE_DROPPED)
        /// A `Cancel` was requested, or a session cancelled or closed during the call.
        public static let cancelled = Status(rawValue: AURICLE_CANCELLED)
        /// An argument is out of its range, or does not fit another argument: a mistake in the calling program.
        public static let invalidArgument = Status(rawValue: AURICLE_INVALID_ARGUMENT)
        /// Not allowed now: what is closed, push after finish, two threads in the same half of a session.
        public static let invalidState = Status(rawValue: AURICLE_INVALID_STATE)
        /// The buffer is too small. Nothing was consumed.
        public static let bufferTooSmall = Status(rawValue: AURICLE_BUFFER_TOO_SMALL)
        /// The clip is too short for the model to see even one row of features.
        public static let clipTooShort = Status(rawValue: AURICLE_CLIP_TOO_SHORT)
        /// The memory that the call needs could not be had.
        public static let memory = Status(rawValue: AURICLE_MEMORY)
        /// A file could not be read.
        public static let file = Status(rawValue: AURICLE_FILE)
        /// The model is refused: it is damaged, is not ONNX, reads other files, or needs a newer ONNX Runtime.
        public static let model = Status(rawValue: AURICLE_MODEL)
        /// The model has no manifest, or the manifest is not valid.
        public static let manifest = Status(rawValue: AURICLE_MANIFEST)
        /// The manifest and the network contradict each other.
        public static let mismatch = Status(rawValue: AURICLE_MISMATCH)
        /// ONNX Runtime was not found, could not be opened, or is too old.
        public static let runtime = Status(rawValue: AURICLE_RUNTIME)
        /// ONNX Runtime failed while running the network, or the network gave a score that is not finite.
        public static let inference = Status(rawValue: AURICLE_INFERENCE)
        /// A provider that was required cannot be had or does not run the network; or one has failed while it ran.
        public static let provider = Status(rawValue: AURICLE_PROVIDER)
        /// A defect of Auricle, caught: please report the message.
        public static let `internal` = Status(rawValue: AURICLE_INTERNAL)

        /// A few words for any number.
        public var description: String { String(cString: auricle_status_text(rawValue)) }
    }

    init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
    }
}

extension AuricleError: CustomStringConvertible, LocalizedError {
    public var description: String { message }
    public var errorDescription: String? { message }
}

/// Throws what a call has returned, unless it is a success; a call that was cancelled has not done its work either. The
/// message is that of the calling thread, so nothing may come between the call and this.
@discardableResult
func check(_ status: auricle_status) throws(AuricleError) -> auricle_status {
    guard status < 0 || status == AURICLE_CANCELLED else { return status }
    let text = status < 0 ? auricle_last_error() : auricle_status_text(status)
    throw AuricleError(AuricleError.Status(rawValue: status), String(cString: text!))
}

/// Numbers and texts as C takes them; what would be cut off is refused.
func narrow<Number: FixedWidthInteger>(_ name: StaticString, _ value: Int) throws(AuricleError) -> Number {
    guard let number = Number(exactly: value) else {
        throw AuricleError(.invalidArgument, "\(name) is \(value); valid \(Number.min) to \(Number.max)")
    }
    return number
}

func requireNoNUL(_ name: StaticString, _ text: String?) throws(AuricleError) {
    if text?.utf8.contains(0) == true {
        throw AuricleError(.invalidArgument, "\(name) has a NUL character in it")
    }
}
