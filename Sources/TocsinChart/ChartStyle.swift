public import TocsinCore

/// Colours that people with any kind of colour vision can tell apart.
///
/// After Okabe and Ito, "Color Universal Design" (2008).
public enum ChartColour: String, Sendable, CaseIterable {
    case blue, orange, green, vermilion, purple, sky, grey

    /// For lines, marks and areas.
    var fill: String {
        switch self {
        case .blue: "#0072b2"
        case .orange: "#e69f00"
        case .green: "#009e73"
        case .vermilion: "#d55e00"
        case .purple: "#aa4499"
        case .sky: "#56b4e9"
        case .grey: "#7a8794"
        }
    }

    /// For text on white: a contrast of 4.5 to 1 and more (WCAG 2.2, 1.4.3).
    var text: String {
        switch self {
        case .blue: "#005a8f"
        case .orange: "#855c00"
        case .green: "#006d50"
        case .vermilion: "#a84700"
        case .purple: "#8a3279"
        case .sky: "#1a6a99"
        case .grey: "#556270"
        }
    }
}

/// How a mark looks: colour and form, so that it can be told in grey print as well.
public struct ChartMarkStyle: Sendable, Hashable {
    public enum Form: String, Sendable, CaseIterable { case circle, square, diamond, triangle, inverted, cross }

    public var colour: ChartColour
    public var form: Form
    /// Larger, with a ring: what the picture is about.
    public var isStrong: Bool

    public init(_ colour: ChartColour, _ form: Form, isStrong: Bool = false) {
        self.colour = colour
        self.form = form
        self.isStrong = isStrong
    }

    /// The one style of each kind, in all pictures.
    public static func of(_ kind: AnomalyKind, isStrong: Bool = false) -> ChartMarkStyle {
        let style: (ChartColour, Form) =
            switch kind {
            case .drift: (.purple, .triangle)
            case .stuck: (.orange, .square)
            case .noise: (.purple, .diamond)
            case .silence: (.grey, .cross)
            case .range: (.vermilion, .inverted)
            case .pattern: (.green, .diamond)
            case .multivariate: (.purple, .circle)
            case .fire: (.vermilion, .square)
            default: (.vermilion, .circle)
            }
        return ChartMarkStyle(style.0, style.1, isStrong: isStrong)
    }
}

/// Colours, fonts and distances that all parts of a picture share.
enum Theme {
    static let ink = "#1b2733"
    static let soft = "#55606c"
    static let rule = "#e4e8ec"
    static let frame = "#aab4be"
    static let background = "#ffffff"
    static let fonts = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif"
    static let title = 16.0
    static let body = 12.0
    static let small = 11.0
    static let margin = 18.0
}
