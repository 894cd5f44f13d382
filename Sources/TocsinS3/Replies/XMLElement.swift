/// One element with its text and its children; a whole reply is one.
public struct XMLElement: Sendable, Equatable {
    public var name: String
    /// Directly inside, put together.
    public var text = ""
    public var children: [XMLElement] = []

    private static let deepest = 32

    /// - Throws: `XMLError` for everything that is not one whole element.
    public init(parsing bytes: [UInt8]) throws(XMLError) {
        var scanner = XMLScanner(bytes)
        var open: [XMLElement] = []
        var root: XMLElement?
        while let token = try scanner.next() {
            switch token {
            case .start(let name):
                guard root == nil else { throw XMLError(description: "it has more than one root") }
                guard open.count < Self.deepest else { throw XMLError(description: "it is nested too deeply") }
                open.append(XMLElement(name: name))
            case .text(let text):
                if open.isEmpty {
                    guard text.allSatisfy(\.isWhitespace) else {
                        throw XMLError(description: "text stands outside of the root")
                    }
                } else {
                    open[open.count - 1].text += text
                }
            case .end(let name):
                guard let element = open.popLast(), element.name == name else {
                    throw XMLError(description: "the end tag of \(name) has no start")
                }
                if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
            }
        }
        guard open.isEmpty, let root else { throw XMLError(description: "it ends too early") }
        self = root
    }

    private init(name: String) { self.name = name }

    /// Text of the first child of that name.
    public subscript(_ name: String) -> String? { children.first { $0.name == name }?.text }

    func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
}
