import Auricle
import SwiftUI

struct ContentView: View {
    let listener: Listener

    var body: some View {
        VStack {
            Text(listener.best)
            if let message = listener.message {
                Text(message)
            }
            List(listener.sounds) { sound in
                Text("\(listener.label(of: sound)) \(sound.isFinal ? "ended" : "…")")
            }
            Button(listener.isListening ? "Stop" : "Listen") {
                if listener.isListening {
                    listener.stop()
                } else {
                    listener.start()
                }
            }
        }
    }
}
