import AuricleCalls
import CAuricle

/// A pointer that the library gave, and the function that ends it.
///
/// `@unchecked Sendable`: the pointer never changes, the library says which calls may meet, and `auricle_calls`, which is
/// atomic, sees to it that the pointer is freed once and after the last call.
final class Handle: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let name: StaticString
    private let free: @convention(c) (OpaquePointer?) -> Void
    private let calls: OpaquePointer

    init(_ name: StaticString, _ pointer: OpaquePointer?, free: @escaping @convention(c) (OpaquePointer?) -> Void) throws(AuricleError) {
        guard let pointer, let calls = auricle_calls_create() else {
            free(pointer)
            throw AuricleError(.memory, "no memory for a handle")
        }
        (self.name, self.pointer, self.free, self.calls) = (name, pointer, free, calls)
    }

    deinit {
        // Every call keeps a reference while it runs, so none is inside.
        if !auricle_calls_is_closed(calls) {
            free(pointer)
        }
        auricle_calls_free(calls)
    }

    /// The pointer, which lives until `leave` is called with the same kind. Throws if it is closed.
    func enter(_ kind: auricle_call = AURICLE_CALL_OTHER) throws(AuricleError) -> OpaquePointer {
        guard auricle_calls_enter(calls, kind) else { throw closed() }
        return pointer
    }

    func leave(_ kind: auricle_call = AURICLE_CALL_OTHER) {
        if auricle_calls_leave(calls, kind) {
            free(pointer)
        }
    }

    /// Twice is fine. `wake` ends the calls that wait inside; the pointer is freed when the last one has left, and never by a
    /// push, which may be on an audio thread.
    func close(wake: (OpaquePointer) -> Void = { _ in }) {
        guard auricle_calls_close(calls) else { return }
        wake(pointer)
        auricle_calls_await_pushes(calls)
        leave()
    }

    var isClosed: Bool { auricle_calls_is_closed(calls) }

    var hasEnded: Bool {
        get { auricle_calls_has_ended(calls) }
        set { auricle_calls_set_ended(calls, newValue) }
    }

    private func closed() -> AuricleError { AuricleError(.invalidState, "the \(name) is closed") }
}
