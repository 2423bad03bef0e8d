// The bundle of pages with charts: {% block scripts %}{% bundle "charts" %}{% endblock %}
import './chart.js';
