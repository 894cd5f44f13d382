public import TocsinCore

/// A text with fields in braces: `{sensor} is {severity}: {sentence}`; `{{` and `}}` stand for braces.
///
/// What outside data puts into a field is escaped by the channel; the template's own text is not, so that it may use the
/// channel's mark-up.
public struct AlertTemplate: Sendable, Equatable {
    private enum Piece: Sendable, Equatable {
        case text(String)
        case field(AlertField)
    }
    private let pieces: [Piece]

    /// - Parameter place: the configuration's key, for the error.
    /// - Throws: `TocsinError(.configuration)` for an unknown field, naming the known ones, or a lone brace.
    public init(_ text: String, place: String) throws(TocsinError) {
        func refused(_ message: String) -> TocsinError {
            TocsinError(
                .configuration, message, place: place,
                remedy: "known fields: " + AlertField.allCases.map { "{\($0.rawValue)}" }.joined(separator: " ")
                    + "; write {{ or }} for a brace")
        }
        var pieces: [Piece] = []
        var plain = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "{" || character == "}", rest.first == character {
                plain.append(character)
                rest.removeFirst()
            } else if character == "{" {
                guard let end = rest.firstIndex(of: "}") else { throw refused("a field is not closed") }
                let name = String(rest[..<end])
                guard let field = AlertField(rawValue: name) else { throw refused("there is no field {\(name)}") }
                if !plain.isEmpty { pieces.append(.text(plain)) }
                plain = ""
                pieces.append(.field(field))
                rest = rest[rest.index(after: end)...]
            } else if character == "}" {
                throw refused("a closing brace stands alone")
            } else {
                plain.append(character)
            }
        }
        if !plain.isEmpty { pieces.append(.text(plain)) }
        self.pieces = pieces
    }

    /// - Parameter link: how the receiver writes the page's address, which comes from the configuration; nil = as `escape`.
    public func render(
        _ message: AlertMessage, escape: (String) -> String = { $0 }, link: ((String) -> String)? = nil
    ) -> String {
        var result = ""
        for piece in pieces {
            switch piece {
            case .text(let text): result += text
            case .field(.link):
                let address = message.link ?? ""
                if let link, !address.isEmpty { result += link(address) } else { result += escape(address) }
            case .field(let field): result += escape(message.text(of: field))
            }
        }
        return result
    }
}

/// A channel's own words for title and text; nil = the default ones.
public struct AlertWording: Sendable {
    public var title: AlertTemplate?
    public var text: AlertTemplate?

    public init(title: AlertTemplate? = nil, text: AlertTemplate? = nil) {
        self.title = title
        self.text = text
    }

    func title(_ message: AlertMessage, escape: (String) -> String = { $0 }) -> String {
        Self.rendered(title, message, escape) ?? escape(message.title)
    }

    /// The channel's own text; nil where it has none, or where its fields leave nothing.
    func ownText(_ message: AlertMessage) -> String? { Self.rendered(text, message) { $0 } }

    /// The channel's text of a single alarm; the default for a list, which no template foresees unless it says `{list}`.
    func text(
        _ message: AlertMessage, escape: (String) -> String = { $0 }, link: ((String) -> String)? = nil
    ) -> String {
        Self.rendered(text, message, escape, link) ?? escape(message.lead)
    }

    /// nil where the fields leave nothing: most receivers refuse an empty text.
    private static func rendered(
        _ template: AlertTemplate?, _ message: AlertMessage, _ escape: (String) -> String,
        _ link: ((String) -> String)? = nil
    ) -> String? {
        template?.render(message, escape: escape, link: link).unlessBlank
    }
}

extension String {
    /// nil where there is nothing to be read.
    var unlessBlank: String? { contains { !$0.isWhitespace } ? self : nil }
}
