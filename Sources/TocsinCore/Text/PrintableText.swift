extension String {
    /// The text on one line: whatever could drive a terminal or reorder its line is shown as U+FFFD.
    ///
    /// `"a\u{1B}[2Jb".printable == "a\u{FFFD}[2Jb"`. For everything that came from outside: names, details, sources.
    public var printable: String { replacingScalars { !$0.isPrintable } }

    /// As `printable`, with line feeds and tabs left in: for whole messages.
    public var printableLines: String { replacingScalars { !$0.isPrintable && $0 != "\n" && $0 != "\t" } }

    private func replacingScalars(_ isReplaced: (Unicode.Scalar) -> Bool) -> String {
        guard unicodeScalars.contains(where: isReplaced) else { return self }
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars { text.append(isReplaced(scalar) ? "\u{FFFD}" : scalar) }
        return String(text)
    }
}

extension Unicode.Scalar {
    /// No control character, no line or paragraph separator, none of the marks that turn the direction of text.
    fileprivate var isPrintable: Bool {
        switch value {
        case 0x2028...0x202E, 0x2066...0x2069: false
        default: properties.generalCategory != .control
        }
    }
}
