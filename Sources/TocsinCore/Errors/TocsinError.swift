/// The one error type that reaches a person: what was wrong, where, what to do, and whether trying again can help.
///
/// `Code` is open: every target adds its own as static members, and new ones break nobody.
public struct TocsinError: Error, Sendable, CustomStringConvertible {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        public init(_ name: String) { description = name }

        /// Bad configuration value, unknown key.
        public static let configuration = Code("configuration")
        /// A file or folder that cannot be read or written.
        public static let file = Code("file")
        /// Input that does not have the promised form.
        public static let format = Code("format")
        /// A database that cannot be opened, is corrupt, or has a newer schema.
        public static let store = Code("store")
        /// A saved model that cannot be read.
        public static let model = Code("model")
        /// A network peer or port.
        public static let network = Code("network")
        /// The caller's arguments.
        public static let usage = Code("usage")
    }

    public var code: Code
    /// What was wrong, a full sentence without the place.
    public var message: String
    /// What to do about it.
    public var remedy: String?
    /// Where: a path, `file:line`, a configuration key, an address.
    public var place: String?
    public var isRetriable: Bool
    public var cause: (any Error)?

    public init(
        _ code: Code, _ message: String, place: String? = nil, remedy: String? = nil, isRetriable: Bool = false,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.place = place
        self.remedy = remedy
        self.isRetriable = isRetriable
        self.cause = cause
    }

    public var description: String {
        var text = place.map { "\($0): \(message)" } ?? message
        if let cause { text += " (\(cause))" }
        if let remedy { text += "\n  -> \(remedy)" }
        return text
    }
}
