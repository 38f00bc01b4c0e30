import CAuricle
import Dispatch

/// A switch that stops loading and classifying from another thread. One may be given to any number of calls. The `async`
/// functions need none: they follow the cancelling of their task. A `Session` has a `cancel` of its own.
public final class Cancel: Sendable {
    let handle: Handle

    public init() throws(AuricleError) {
        var pointer: OpaquePointer?
        try check(auricle_cancel_create(&pointer))
        handle = try Handle("cancel", pointer, free: auricle_cancel_free)
    }

    /// Calls that were given this switch throw `.cancelled` as soon as the kernel of the network that is running ends; later ones
    /// at once. It stays on. Any thread but the audio thread.
    public func request() {
        // It is never closed, so neither call can fail.
        guard let pointer = try? handle.enter() else { return }
        defer { handle.leave() }
        auricle_cancel_request(pointer)
    }
}

/// Runs `work`, which takes long, where it keeps no thread of Swift's pool from its work. The task's cancelling requests `cancel`.
func background<Value: Sendable>(
    _ cancel: Cancel, _ work: @escaping @Sendable () throws(AuricleError) -> Value
) async throws(AuricleError) -> Value {
    let outcome = await withTaskCancellationHandler {
        await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, AuricleError>, Never>) in
            DispatchQueue.global(qos: .userInitiated).async {
                continuation.resume(returning: Result(catching: work))
            }
        }
    } onCancel: {
        cancel.request()
    }
    return try outcome.get()
}
