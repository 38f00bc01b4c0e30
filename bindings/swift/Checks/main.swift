// The helpers for AVFoundation, run with the stand-in beside this file: the bits of arrays, and gaps where the clock jumps.
import AVFoundation
import Auricle

func require(_ condition: Bool, _ what: String) {
    if !condition { fatalError(what) }
}

func buffer(_ kind: AVAudioCommonFormat, interleaved: Bool, _ frames: Int, rate: Double = 16_000) -> AVAudioPCMBuffer {
    let format = AVAudioFormat(commonFormat: kind, sampleRate: rate, channels: 2, interleaved: interleaved)!
    let buffer = AVAudioPCMBuffer(pcmFormat: format, frameCapacity: AVAudioFrameCount(frames))!
    buffer.frameLength = AVAudioFrameCount(frames)
    for frame in 0..<frames {
        for channel in 0..<2 {
            let (plane, index) = interleaved ? (0, 2 * frame + channel) : (channel, frame)
            let sample = Int16(truncatingIfNeeded: (frame * 37 + channel * 11) % 20_000)
            buffer.floatChannelData?[plane][index] = Float(sample) / 32_768
            buffer.int16ChannelData?[plane][index] = sample
            buffer.int32ChannelData?[plane][index] = Int32(sample) << 16
        }
    }
    return buffer
}

let model = try Model(path: CommandLine.arguments[1])
let expected = try model.classifyAndWait(Clip(buffer(.pcmFormatFloat32, interleaved: true, 15_600)))
require(expected == (try model.classifyAndWait(Clip(buffer(.pcmFormatInt16, interleaved: false, 15_600)))), "a clip of integers")
for kind in [AVAudioCommonFormat.pcmFormatFloat32, .pcmFormatInt16, .pcmFormatInt32] {
    for interleaved in [true, false] {
        let audio = buffer(kind, interleaved: interleaved, 15_600)
        let session = try Session(model, options: .init(format: audio.format))
        require(try session.push(audio), "it has room")
        require(try session.read()?.scores == expected, "\(kind), interleaved: \(interleaved)")
    }
}
let session = try Session(model, options: .init(format: buffer(.pcmFormatFloat32, interleaved: false, 1).format))
for audio in [buffer(.pcmFormatFloat64, interleaved: false, 1), buffer(.pcmFormatFloat32, interleaved: false, 1, rate: 44_100)] {
    do {
        try session.push(audio)
        fatalError("a buffer of another kind was taken")
    } catch { require(error.status == .invalidArgument, error.message) }
}
let node = AVAudioNode()
session.installTap(on: node)
node.tap!(buffer(.pcmFormatFloat32, interleaved: false, 8_000), AVAudioTime(sampleTime: 500, atRate: 16_000))
node.tap!(buffer(.pcmFormatFloat32, interleaved: false, 7_000), AVAudioTime(sampleTime: 9_500, atRate: 16_000))
require(try session.read()?.gapFrames == 1_000, "the clock's jump is a gap")
session.close()
node.tap!(buffer(.pcmFormatFloat32, interleaved: false, 1), AVAudioTime(sampleTime: 0, atRate: 16_000))
require(try Clip(contentsOf: URL(fileURLWithPath: "any")).channels == 2, "a file")
print("AVFoundation's helpers, with a stand-in: passed")
