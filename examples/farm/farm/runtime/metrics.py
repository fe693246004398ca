"""What the runtime counts, in Prometheus' terms."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("farm_requests_total", "Requests answered", ["method", "route", "status"])
LATENCY = Histogram("farm_request_seconds", "Time to the end of the answer", ["method", "route"])
MODEL_LOADS = Counter("farm_model_loads_total", "Times that a model was loaded", ["model"])
MODELS_LOADED = Gauge("farm_models_loaded", "Models in memory", ["model"])
MODEL_USERS = Gauge("farm_model_users", "Requests that use a model now", ["model"])
WAITING = Gauge("farm_waiting", "Requests that wait for their turn", ["queue"])
REJECTED = Counter("farm_rejected_total", "Requests turned away because the queue was full", ["queue"])
GENERATING = Gauge("farm_generating", "Generations that run now", ["model"])
TOKENS = Counter("farm_tokens_total", "Tokens generated", ["model"])
