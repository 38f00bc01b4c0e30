import CAuricle
import Foundation

/// Messages of the library. Nothing is printed unless a program asks for them here.
public enum Log {
    public enum Level: Int32, Hashable, Sendable, CaseIterable {
        /// Something did not work.
        case error = 1
        /// It works, but not as it should.
        case warning = 2
        /// What was opened and loaded.
        case info = 3
        /// Details.
        case debug = 4
    }

    public typealias Function = @Sendable (_ level: Level, _ message: String) -> Void

    /// Sends messages up to `level` to `function`; nil: they go nowhere. It is called on whatever thread has something to say, by
    /// several at once. Pushing logs nothing.
    public static func set(upTo level: Level = .warning, _ function: Function?) throws(AuricleError) {
        current.function = function
        try check(auricle_set_log(function == nil ? nil : emit, nil, level.rawValue))
    }

    fileprivate static let current = Current()

    /// `@unchecked Sendable`: behind a lock. A call of an old function may be running when another is set.
    fileprivate final class Current: @unchecked Sendable {
        private let lock = NSLock()
        private var value: Function?

        var function: Function? {
            get { lock.withLock { value } }
            set { lock.withLock { value = newValue } }
        }
    }
}

private func emit(_: UnsafeMutableRawPointer?, level: Int32, message: UnsafePointer<CChar>?) {
    guard let function = Log.current.function, let message else { return }
    function(Log.Level(rawValue: level) ?? .debug, String(cString: message))
}
