extension Timestamp {
    /// A time as people type it: ISO 8601, or a count since 1970 whose unit follows from its magnitude.
    public init?(text: String) {
        if let time = Timestamp(iso8601: text) ?? Timestamp(epoch: text.utf8.span) {
            self = time
        } else {
            return nil
        }
    }
}
