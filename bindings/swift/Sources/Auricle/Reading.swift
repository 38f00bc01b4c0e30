import CAuricle

/// The reading half of a session. It does the work, on the thread that calls it.
extension Session {
    /// Does the work that is due (conversion, features, inference) and gives the next window. nil: there is not enough audio for it
    /// yet, `maxWindowsPerRead` was reached, or (see `hasEnded`) the stream is over. Without `scores` they are left out, for programs
    /// that want events alone.
    ///
    /// Throws `.clipTooShort` once for a stream that was finished before the model could see even one row of features. After
    /// `.inference`, `.model` and `.memory` this window is lost, and the next read goes on behind it.
    public func read(scores: Bool = true) throws(AuricleError) -> Result? {
        let session = try handle.enter()
        defer { handle.leave() }
        var found = auricle_result()
        auricle_result_init(&found)
        // The scores are fetched afterwards, so that a read that gives no window allocates nothing.
        let status = try check(auricle_session_read(session, nil, 0, &found))
        guard status == AURICLE_OK else {
            if status == AURICLE_END { handle.hasEnded = true }
            return nil
        }
        var result = Result(found)
        if scores {
            result.scores = try values(session, 0)
        }
        return result
    }

    /// Gives the next event that the windows read so far have made; nil: none is waiting. Throws `.invalidState` where neither the
    /// manifest nor `streamJSON` has `events`.
    public func readEvent() throws(AuricleError) -> Event? {
        let session = try handle.enter()
        defer { handle.leave() }
        var found = auricle_event()
        auricle_event_init(&found)
        return try check(auricle_session_read_event(session, &found)) == AURICLE_OK ? Event(found) : nil
    }

    /// Values of an output for the window that the last read gave, before the next read or wait: of the first output its scores,
    /// smoothed if the stream is; of others as the network gives them.
    public func output(_ index: Int) throws(AuricleError) -> [Float] {
        let session = try handle.enter()
        defer { handle.leave() }
        return try values(session, index)
    }

    /// Waits until a read has something to give, for at most `milliseconds`; false: nothing came. Pushing wakes nobody; the thread
    /// sleeps until the next window can be due, and may answer a few milliseconds late. Keeps its thread: in `async` code use
    /// `results` or `events`.
    public func wait(milliseconds: Int) throws(AuricleError) -> Bool {
        let timeout: UInt32 = try narrow("milliseconds", milliseconds)
        let session = try handle.enter()
        defer { handle.leave() }
        return try check(auricle_session_wait(session, timeout)) == AURICLE_OK
    }

    private func values(_ session: OpaquePointer, _ index: Int) throws(AuricleError) -> [Float] {
        let index: UInt = try narrow("index", index)
        let size = index < model.outputs.count ? model.outputs[Int(index)].size : 0
        var values = [Float](repeating: 0, count: size)
        var count = 0
        try check(
            values.withUnsafeMutableBufferPointer {
                auricle_session_output(session, Int(bitPattern: index), $0.baseAddress, $0.count, &count)
            })
        return values
    }
}
