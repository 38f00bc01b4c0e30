import CAuricle

/// What runs a network inside ONNX Runtime. Nothing falls back in silence.
public struct Provider: Hashable, Sendable {
    /// "cpu", "coreml", "xnnpack", "cuda" or another of docs/providers.md; or the path of a plug-in's library.
    public var name: String
    public var need: Need
    /// Options of the provider, a JSON object; nil: the defaults.
    public var optionsJSON: String?

    public enum Need: Hashable, Sendable {
        /// The load fails, with ONNX Runtime's reason, where this provider cannot run all of the network.
        case required
        /// Where this provider cannot run the network, the others in the list do, in the end the CPU.
        case preferred

        var number: Int32 {
            switch self {
            case .required: AURICLE_REQUIRED
            case .preferred: AURICLE_PREFERRED
            }
        }
    }

    public init(_ name: String, need: Need = .required, optionsJSON: String? = nil) {
        (self.name, self.need, self.optionsJSON) = (name, need, optionsJSON)
    }
}

/// Providers as C takes them; it owns the strings.
final class ProviderList {
    private var strings: [UnsafeMutablePointer<CChar>] = []
    private(set) var providers: [auricle_provider] = []

    init(_ list: [Provider]) throws(AuricleError) {
        for provider in list {
            try requireNoNUL("a provider's name", provider.name)
            try requireNoNUL("a provider's options", provider.optionsJSON)
            var c = auricle_provider()
            auricle_provider_init(&c)
            c.need = provider.need.number
            c.name = UnsafePointer(copy(provider.name))
            c.options_json = provider.optionsJSON.map { UnsafePointer(copy($0)) }
            providers.append(c)
        }
    }

    deinit {
        for string in strings {
            string.deallocate()
        }
    }

    private func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = text.utf8CString
        let string = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() {
            string[index] = byte
        }
        strings.append(string)
        return string
    }
}
