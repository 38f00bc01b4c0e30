import CAuricle

/// What a model gives: an output is scores, a vector or other numbers.
public struct Output: Hashable, Sendable {
    /// The manifest's, else the tensor's.
    public let name: String
    public let kind: Kind
    /// Values that it has for each result: of scores the number of classes.
    public let size: Int
    /// From one result to the next, seconds, if the network answers for many moments of a window; else 0.
    public let hopSeconds: Double
    /// Labels of its classes; none unless it has scores.
    public let labels: [String]

    public enum Kind: Hashable, Sendable {
        /// A score for each of its classes.
        case scores
        /// A vector: sounds that are alike have vectors that are.
        case embedding
        /// Other numbers.
        case values
    }

    init(_ model: OpaquePointer, _ index: Int) throws(AuricleError) {
        var found = auricle_output()
        auricle_output_init(&found)
        try check(auricle_model_output(model, index, &found))
        kind =
            switch found.kind {
            case AURICLE_SCORES: .scores
            case AURICLE_EMBEDDING: .embedding
            default: .values
            }
        name = String(cString: auricle_model_output_name(model, index))
        size = Int(clamping: found.size)
        hopSeconds = found.hop_seconds
        labels = kind == .scores ? (0..<size).map { String(cString: auricle_model_output_label(model, index, $0)) } : []
    }
}
