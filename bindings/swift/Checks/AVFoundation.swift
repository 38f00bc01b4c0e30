// What Auricle and its example use of AVFoundation, written from its documentation, so that they can be compiled, and the helpers
// run, where there is no AVFoundation. It is no proof that Apple's own behaves like this.
@_exported import Foundation

public typealias AVAudioFrameCount = UInt32
public typealias AVAudioFramePosition = Int64
public typealias AVAudioChannelCount = UInt32
public typealias AVAudioNodeBus = Int

public enum AVAudioCommonFormat: UInt, Sendable {
    case otherFormat, pcmFormatFloat32, pcmFormatFloat64, pcmFormatInt16, pcmFormatInt32
}

public class AVAudioFormat: NSObject {
    public let commonFormat: AVAudioCommonFormat
    public let sampleRate: Double
    public let channelCount: AVAudioChannelCount
    public let isInterleaved: Bool

    public init?(commonFormat: AVAudioCommonFormat, sampleRate: Double, channels: AVAudioChannelCount, interleaved: Bool) {
        (self.commonFormat, self.sampleRate, channelCount, isInterleaved) = (commonFormat, sampleRate, channels, interleaved)
    }
}

public class AVAudioPCMBuffer: NSObject {
    public let format: AVAudioFormat
    public var frameLength: AVAudioFrameCount = 0
    private let planes: UnsafeMutablePointer<UnsafeMutableRawPointer>

    public init?(pcmFormat: AVAudioFormat, frameCapacity: AVAudioFrameCount) {
        format = pcmFormat
        let count = Int(pcmFormat.channelCount)
        planes = .allocate(capacity: count)
        for channel in 0..<count {
            planes[channel] = .allocate(byteCount: Int(frameCapacity) * 8 * count, alignment: 16)
        }
    }

    deinit {
        for channel in 0..<Int(format.channelCount) { planes[channel].deallocate() }
        planes.deallocate()
    }

    private func data<S>(_ kind: AVAudioCommonFormat) -> UnsafePointer<UnsafeMutablePointer<S>>? {
        guard format.commonFormat == kind else { return nil }
        return UnsafeRawPointer(planes).assumingMemoryBound(to: UnsafeMutablePointer<S>.self)
    }

    public var floatChannelData: UnsafePointer<UnsafeMutablePointer<Float>>? { data(.pcmFormatFloat32) }
    public var int16ChannelData: UnsafePointer<UnsafeMutablePointer<Int16>>? { data(.pcmFormatInt16) }
    public var int32ChannelData: UnsafePointer<UnsafeMutablePointer<Int32>>? { data(.pcmFormatInt32) }
}

public class AVAudioTime: NSObject {
    public let sampleTime: AVAudioFramePosition
    public var isSampleTimeValid: Bool { true }
    public init(sampleTime: AVAudioFramePosition, atRate: Double) { self.sampleTime = sampleTime }
}

public typealias AVAudioNodeTapBlock = @Sendable (AVAudioPCMBuffer, AVAudioTime) -> Void

public class AVAudioNode: NSObject {
    public private(set) var tap: AVAudioNodeTapBlock?

    public func installTap(
        onBus: AVAudioNodeBus, bufferSize: AVAudioFrameCount, format: AVAudioFormat?, block: @escaping AVAudioNodeTapBlock
    ) { tap = block }

    public func removeTap(onBus: AVAudioNodeBus) { tap = nil }

    public func outputFormat(forBus: AVAudioNodeBus) -> AVAudioFormat {
        AVAudioFormat(commonFormat: .pcmFormatFloat32, sampleRate: 48_000, channels: 1, interleaved: false)!
    }
}

public class AVAudioInputNode: AVAudioNode {}

public class AVAudioEngine: NSObject {
    public let inputNode = AVAudioInputNode()
    public func start() throws {}
    public func stop() {}
}

public class AVAudioFile: NSObject {
    public let processingFormat: AVAudioFormat
    public let length: AVAudioFramePosition = 16_000

    public init(forReading: URL) throws {
        processingFormat = AVAudioFormat(commonFormat: .pcmFormatFloat32, sampleRate: 16_000, channels: 2, interleaved: false)!
    }

    public func read(into buffer: AVAudioPCMBuffer) throws {
        buffer.frameLength = AVAudioFrameCount(length)
        for channel in 0..<2 {
            for frame in 0..<Int(length) { buffer.floatChannelData![channel][frame] = Float(frame % 100) / 100 }
        }
    }
}
