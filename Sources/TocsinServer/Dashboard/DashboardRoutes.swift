internal import CWebAssets
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import TocsinCore

/// The page at `/` and its files, all inside the binary.
struct DashboardRoutes {
    private struct Asset {
        var path: String
        var contentType: String
        var body: ByteBuffer
        var entityTag: String
    }

    // Only our own files and addresses: names of sensors come from outside and must never become script.
    private static let policy =
        "default-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

    func add(to router: Router<BasicRequestContext>) {
        for asset in Self.assets() {
            router.get(RouterPath(asset.path)) { request, _ in Self.response(asset, to: request) }
        }
    }

    private static func response(_ asset: Asset, to request: Request) -> Response {
        var headers: HTTPFields = [
            .contentType: asset.contentType, .eTag: asset.entityTag, .cacheControl: "no-cache",
            .contentSecurityPolicy: policy, .xContentTypeOptions: "nosniff",
        ]
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "no-referrer" }
        if request.headers[.ifNoneMatch] == asset.entityTag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: asset.body))
    }

    private static func assets() -> [Asset] {
        var count = 0
        guard let first = tw_assets(&count) else { return [] }
        return UnsafeBufferPointer(start: first, count: count).compactMap { entry in
            guard let path = entry.path, let type = entry.content_type, let bytes = entry.bytes else { return nil }
            let body = ByteBuffer(bytes: UnsafeBufferPointer(start: bytes, count: entry.length))
            var hash = StableHash()
            hash.combine(body.readableBytesView)
            return Asset(
                path: String(cString: path), contentType: String(cString: type), body: body,
                entityTag: "\"\(hash.hex)\"")
        }
    }
}
