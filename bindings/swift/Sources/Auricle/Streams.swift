import AuricleCalls
import CAuricle

extension Session {
    /// The windows of the stream, as they come: `for try await result in session.results`. It ends when the stream was finished and
    /// read, when the session is cancelled or closed, and within 0.1 s of its task's cancelling, which leaves the session as it is.
    ///
    /// Nothing is read ahead: a loop that is too slow is told by `droppedFrames`. Between two results the loop may call `readEvent` and
    /// `output`. One loop at a time; waiting and work are on a thread of the session's own.
    public var results: Results { Results(session: self) }

    /// The events of the stream, as they come, in the same way. The scores of its windows are not given.
    public var events: Events { Events(session: self) }

    public struct Results: AsyncSequence, AsyncIteratorProtocol, Sendable {
        fileprivate let session: Session
        fileprivate var began = false

        public func makeAsyncIterator() -> Self { self }

        public mutating func next() async throws(AuricleError) -> Result? {
            defer { began = true }
            return try await session.next(first: !began) { session throws(AuricleError) in try session.read() }
        }
    }

    public struct Events: AsyncSequence, AsyncIteratorProtocol, Sendable {
        fileprivate let session: Session
        fileprivate var began = false

        public func makeAsyncIterator() -> Self { self }

        public mutating func next() async throws(AuricleError) -> Event? {
            defer { began = true }
            return try await session.next(first: !began) { session throws(AuricleError) in
                while true {
                    if let event = try session.readEvent() { return event }
                    // The end of a stream is the end of its events, too.
                    if try session.read(scores: false) == nil { return try session.readEvent() }
                }
            }
        }
    }

    /// What `read` gives next, waiting for it on the reader's queue. What ends the stream, nil; a session that was closed before
    /// the first read is a mistake.
    private func next<Element: Sendable>(
        first: Bool, _ read: @escaping @Sendable (Session) throws(AuricleError) -> Element?
    ) async throws(AuricleError) -> Element? {
        let cancelled = try Cancelled()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Swift.Result<Element?, AuricleError>, Never>) in
                reader.async {
                    continuation.resume(returning: Swift.Result { () throws(AuricleError) in try self.await(cancelled, first, read) })
                }
            }
        } onCancel: {
            cancelled.request()
        }
        return try outcome.get()
    }

    private func await<Element>(
        _ cancelled: Cancelled, _ first: Bool, _ read: (Session) throws(AuricleError) -> Element?
    ) throws(AuricleError) -> Element? {
        do throws(AuricleError) {
            while !cancelled.isRequested {
                if let element = try read(self) { return element }
                if hasEnded { return nil }
                _ = try wait(milliseconds: 100)
            }
            return nil
        } catch {
            let isOver = error.status == .cancelled || (handle.isClosed && !first)
            if isOver { return nil }
            throw error
        }
    }
}

/// Whether a task was cancelled. `@unchecked Sendable`: it is an atomic flag.
private final class Cancelled: @unchecked Sendable {
    private let flag: OpaquePointer

    init() throws(AuricleError) {
        guard let flag = auricle_calls_create() else { throw AuricleError(.memory, "no memory for a read") }
        self.flag = flag
    }

    deinit { auricle_calls_free(flag) }

    func request() { _ = auricle_calls_close(flag) }

    var isRequested: Bool { auricle_calls_is_closed(flag) }
}
