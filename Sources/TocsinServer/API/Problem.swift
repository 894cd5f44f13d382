internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import TocsinCore

/// An error answer in the form of RFC 9457 (`application/problem+json`).
struct Problem: HTTPResponseError {
    var status: HTTPResponse.Status
    /// What was wrong with this request and what to do, a sentence.
    var detail: String
    /// The parameter or field at fault.
    var parameter: String?
    /// Seconds after which trying again makes sense.
    var retryAfter: Int?

    init(_ status: HTTPResponse.Status, _ detail: String, parameter: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.detail = detail
        self.parameter = parameter
        self.retryAfter = retryAfter
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var json = JSONWriter()
        json.object {
            // "about:blank": the status says it all, `detail` says it in words (RFC 9457, 4.2.1).
            $0.field("type", "about:blank")
            $0.field("title", status.reasonPhrase)
            $0.field("status", status.code)
            $0.field("detail", detail)
            $0.field("instance", request.uri.path)
            if let parameter { $0.field("parameter", parameter) }
        }
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let retryAfter, let name = HTTPField.Name("Retry-After") { headers[name] = String(retryAfter) }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}

/// Turns every error into a problem document, so that no client ever has to parse two forms.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return try problem.response(from: request, context: context)
        } catch let error as HTTPError where error.status == .notFound {
            let problem = Problem(.notFound, "there is nothing at \(request.method) \(request.uri.path)")
            return try problem.response(from: request, context: context)
        } catch let error as any HTTPResponseError {
            let problem = Problem(error.status, "\(error)")
            return try problem.response(from: request, context: context)
        } catch let error as TocsinError {
            context.logger.error("request failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            let problem = Problem(
                error.isRetriable ? .serviceUnavailable : .internalServerError, error.message,
                retryAfter: error.isRetriable ? 1 : nil)
            return try problem.response(from: request, context: context)
        } catch is CancellationError {
            let problem = Problem(.serviceUnavailable, "the server is shutting down", retryAfter: 5)
            return try problem.response(from: request, context: context)
        } catch {
            context.logger.error("request failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            let problem = Problem(.internalServerError, "an unexpected error; the log has the details")
            return try problem.response(from: request, context: context)
        }
    }
}
