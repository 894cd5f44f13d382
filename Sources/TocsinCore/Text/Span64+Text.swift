extension Span64 {
    /// A length of time as people type it: `30s`, `5m`, `1.5h`, `250ms`.
    public init?(text: String) {
        guard let span = Quantity.duration(text) else { return nil }
        self = span
    }
}
