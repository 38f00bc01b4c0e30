import AVFoundation
import Auricle
import Observation

/// A microphone, a session and what comes out of them.
@MainActor @Observable
final class Listener {
    private(set) var best = ""
    private(set) var sounds: [Event] = []
    private(set) var message: String?
    private(set) var isListening = false

    private let engine = AVAudioEngine()
    private var model: Model?
    private var session: Session?

    func label(of event: Event) -> String { model?.labels[event.classIndex] ?? "" }

    func start() {
        isListening = true
        message = nil
        Task {
            do {
                try await listen()
            } catch {
                message = error.localizedDescription
            }
            engine.inputNode.removeTap(onBus: 0)
            engine.stop()
            isListening = false
        }
    }

    /// The loop over the session's results ends, and with it the task of `start`.
    func stop() { session?.close() }

    private func listen() async throws {
        let path = Bundle.main.path(forResource: "model", ofType: "onnx") ?? "model.onnx"
        let model = try await Model.load(path: path)
        let rules = #"{ "smoothing_seconds": 0.5, "events": { "on": 0.6 } }"#
        let format = engine.inputNode.outputFormat(forBus: 0)
        let session = try Session(model, options: .init(format: format, streamJSON: rules))
        (self.model, self.session) = (model, session)
        session.installTap(on: engine.inputNode)
        try engine.start()
        for try await result in session.results {
            let (label, score) = zip(model.labels, result.scores).max { $0.1 < $1.1 }!
            best = "\(label) \(Int(score * 100)) %"
            while let event = try session.readEvent() {
                sounds.removeAll { $0.id == event.id }
                sounds.insert(event, at: 0)
            }
        }
    }
}
