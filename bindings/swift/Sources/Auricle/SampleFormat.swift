import CAuricle

/// How a sample is written.
public struct SampleFormat: Hashable, Sendable {
    let number: Int32
    /// Bytes of one sample.
    public let size: Int

    /// Unsigned 8 bit, 128 is silence.
    public static let u8 = SampleFormat(number: AURICLE_U8, size: 1)
    /// Signed 16 bit.
    public static let i16 = SampleFormat(number: AURICLE_I16, size: 2)
    /// Signed 24 bit, packed into 3 bytes, little-endian.
    public static let i24 = SampleFormat(number: AURICLE_I24, size: 3)
    /// Signed 32 bit.
    public static let i32 = SampleFormat(number: AURICLE_I32, size: 4)
    /// Float, full scale 1.0.
    public static let f32 = SampleFormat(number: AURICLE_F32, size: 4)
    /// Double, full scale 1.0.
    public static let f64 = SampleFormat(number: AURICLE_F64, size: 8)

    /// Frames of interleaved audio, which must come out whole.
    func frames(bytes: Int, channels: Int) throws(AuricleError) -> Int {
        // Numbers of channels that cannot be are left to the library.
        let frame = size * max(1, min(channels, 8))
        guard bytes % frame == 0 else {
            throw AuricleError(
                .invalidArgument, "\(bytes) bytes are no whole number of frames, which have \(channels) times \(size) bytes")
        }
        return bytes / frame
    }
}

/// A number that samples can have: `UInt8`, `Int16`, `Int32`, `Float`, `Double`. Integers have their full range, floats -1.0 to 1.0.
public protocol Sample: BitwiseCopyable, Sendable {
    static var format: SampleFormat { get }
}

extension UInt8: Sample { public static var format: SampleFormat { .u8 } }
extension Int16: Sample { public static var format: SampleFormat { .i16 } }
extension Int32: Sample { public static var format: SampleFormat { .i32 } }
extension Float: Sample { public static var format: SampleFormat { .f32 } }
extension Double: Sample { public static var format: SampleFormat { .f64 } }
