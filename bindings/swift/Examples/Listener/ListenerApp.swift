import SwiftUI

/// What the microphone hears, as a list of sounds that begin and end. Needs a file model.onnx among the app's resources, and
/// NSMicrophoneUsageDescription in its Info.plist.
@main
struct ListenerApp: App {
    @State private var listener = Listener()

    var body: some Scene {
        WindowGroup {
            ContentView(listener: listener)
        }
    }
}
