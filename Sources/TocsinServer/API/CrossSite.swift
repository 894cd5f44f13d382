internal import HTTPTypes
internal import Hummingbird

/// A page of another site must not be able to change anything through its visitor's browser.
enum CrossSite {
    static func refuse(_ request: Request, _ why: String) throws {
        let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
        let origin = request.headers[.origin]
        let isOther = origin.map { $0 == "null" || !$0.hasSuffix("://" + (request.head.authority ?? "")) } ?? false
        if site == "cross-site" || isOther { throw Problem(.forbidden, why) }
    }
}
