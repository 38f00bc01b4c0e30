import CAuricle

extension Session {
    /// What became of one session in `readMany`.
    public enum Outcome: Hashable, Sendable {
        case result(Result)
        /// Not enough audio for the next window yet.
        case again
        /// The stream was finished and everything has been read.
        case end
        case cancelled
        /// The message is that of the last session that failed in this call.
        case failed(AuricleError)
    }

    /// Gives the next window of each session, all of one model. Windows that are ready go through the network together, up to
    /// `Model.Options.maxBatch` in a run, which on a GPU makes hundreds of streams cheap. Waits until every session has a window or its
    /// end, for at most `milliseconds`. The reading thread of all of them.
    public static func readMany(_ sessions: [Session], milliseconds: Int = 0) throws(AuricleError) -> [Outcome] {
        guard let classes = sessions.first?.model.classCount else { return [] }
        let deadline: UInt32 = try narrow("milliseconds", milliseconds)
        var pointers: [OpaquePointer?] = []
        defer {
            for session in sessions.prefix(pointers.count) {
                session.handle.leave()
            }
        }
        for session in sessions {
            pointers.append(try session.handle.enter())
        }
        var scores = [Float](repeating: 0, count: sessions.count * classes)
        var prepared = auricle_result()
        auricle_result_init(&prepared)
        var results = [auricle_result](repeating: prepared, count: sessions.count)
        var statuses = [auricle_status](repeating: AURICLE_OK, count: sessions.count)
        try check(
            auricle_read_many(pointers, pointers.count, deadline, &scores, scores.count, &results, &statuses))
        let message = String(cString: auricle_last_error())
        return sessions.indices.map { index in
            switch statuses[index] {
            case AURICLE_OK:
                var result = Result(results[index])
                result.scores = Array(scores[index * classes..<(index + 1) * classes])
                return .result(result)
            case AURICLE_END:
                sessions[index].handle.hasEnded = true
                return .end
            case AURICLE_CANCELLED:
                return .cancelled
            case let status where status < 0:
                return .failed(AuricleError(AuricleError.Status(rawValue: status), message))
            default:
                return .again
            }
        }
    }
}
