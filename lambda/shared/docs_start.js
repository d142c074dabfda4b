// Show the OpenAPI document that the page names: Swagger UI asks nobody else, and what an address carries decides nothing.
SwaggerUIBundle({
  url: document.querySelector('link[rel="alternate"]').href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  queryConfigEnabled: false,
  validatorUrl: null,
});
