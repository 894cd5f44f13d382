internal import TocsinCore

/// Addresses of the dashboard for messages: `https://tocsin.plant.example/?alarm=0123456789abcdef`.
struct DashboardLink: Sendable {
    private let page: String
    private let fragment: String

    init(_ address: String) {
        let end = address.firstIndex(of: "#") ?? address.endIndex
        page = String(address[..<end])
        fragment = String(address[end...])
    }

    /// - Parameter alarm: the one that is to be shown; nil = the page as it is.
    func text(to alarm: Alarm?) -> String {
        guard let alarm else { return page + fragment }
        // The alarm's id is hexadecimal, or of the program's own: nothing in it needs to be escaped.
        return "\(page)\(page.contains("?") ? "&" : "?")alarm=\(alarm.id)\(fragment)"
    }
}
