/// A name with wildcards: `*` is any run of characters (none included), `?` is exactly one; case is ignored.
///
/// ```swift
/// NamePattern("pump_*").matches("Pump_3")   // true
/// ```
/// Matching costs at most length of the name × length of the pattern.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
    public let description: String
    private let symbols: [Character]

    public init(_ text: String) {
        description = text
        symbols = Array(text.lowercased())
    }

    /// Matches every name.
    public static let any = NamePattern("*")

    public var isAny: Bool { symbols == ["*"] }

    public func matches(_ name: String) -> Bool {
        if isAny { return true }
        let letters = Array(name.lowercased())
        var letter = 0
        var symbol = 0
        // Where to go on when the rest does not fit: one letter more for the last star.
        var retry: (letter: Int, symbol: Int)?
        while letter < letters.count {
            if symbol < symbols.count, symbols[symbol] == "*" {
                symbol += 1
                retry = (letter, symbol)
            } else if symbol < symbols.count, symbols[symbol] == "?" || symbols[symbol] == letters[letter] {
                symbol += 1
                letter += 1
            } else if let last = retry {
                retry = (last.letter + 1, last.symbol)
                letter = last.letter + 1
                symbol = last.symbol
            } else {
                return false
            }
        }
        return symbols[symbol...].allSatisfy { $0 == "*" }
    }
}
